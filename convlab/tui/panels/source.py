"""The source panel: the design's TOML to edit, with what is wrong told below it, as the shell tells it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import TextArea

from convlab.errors import ConvlabError, Place, Problem, render
from convlab.session import Session
from convlab.tui.drawing.picture import Line, Picture, Size, Span, clipped
from convlab.tui.drawing.sheet import Sheet
from convlab.tui.panels.editor import Editor
from convlab.tui.panels.panel import Panel, Shown, TextWritten

PAUSE_S = 0.15
"""So long nothing is written before the text is read."""

FINE = "The text is the design."
KEYS = "F8 goes to the mistake, ^r gives the text up"
KEYS_OF_BASE = "F8 reads that file again, ^r gives the text up"
ELSEWHERE = "The design was changed elsewhere while this text is broken: ctrl+r takes the design's text."
IN_BASE = "The mistake is in another file, {}: mend it there."


@final
class SourcePanel(Panel):
    """The text and its diagnostics. While the text is broken, the last good design stays."""

    title = "Source"
    key = "source"
    help = (
        "The design as TOML. What is written is the design as soon as it is one; until then the message below says what is wrong and "
        "where, and the last good design stays. Ctrl+R gives up what is written, Escape goes back to the grid, F8 goes to the mistake; "
        "where that is in the file of a base, F8 reads it again."
    )
    DEFAULT_CSS = """
    SourcePanel { layout: vertical; }
    SourcePanel > Sheet {
        height: auto; max-height: 55%; min-height: 1; border-top: solid $panel; border-title-color: $text-muted;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "revert", "The design's text", show=False),
        Binding("f8", "mistake", "Go to the mistake", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.editor = Editor(show_line_numbers=True, tab_behavior="focus", compact=True)
        self.sheet = Sheet(self._picture)
        self.problems: tuple[Problem, ...] = ()
        self._shown: Shown | None = None
        self._known = ""
        """The design's text when it was last taken over."""
        self._timer: Timer | None = None
        self._before: tuple[str, ...] = ()
        """What has to be known before the messages."""
        self._revealed: tuple[Problem, ...] = ()
        """The mistakes that were scrolled into view when they were made."""

    def compose(self) -> ComposeResult:
        """The editor, below it what is wrong."""
        yield self.editor
        yield self.sheet

    @property
    def waiting(self) -> bool:
        """Whether there is a text that has to be mended before it is the design."""
        return bool(self.problems) and self._shown is not None and self.editor.text != source_text(self._shown.session)

    def show(self, shown: Shown) -> None:
        """Take over the design's text, unless what is written here waits to be mended."""
        self._shown = shown
        if source_text(shown.session) != self._known and not self.problems:
            self._take(source_text(shown.session))
            self.problems = () if shown.session.broken is None else shown.session.broken.problems
            if self._mistake is not None:
                self.editor.move_cursor(self._mistake)
        self._tell()

    def action_revert(self) -> None:
        """Give up what is written."""
        if self._shown is not None:
            self.problems, self._known = (), ""
            self.show(self._shown)

    def action_mistake(self) -> None:
        """Put the cursor on the first mistake; where all are in files that are its bases, read those again."""
        if self._base_at_fault:
            self._read()
        elif self._mistake is not None:
            self.editor.move_cursor(self._mistake)
            self.editor.focus()

    @property
    def _mistake(self) -> tuple[int, int] | None:
        """Where the first mistake of this text stands: row and column; None where all are of other files, or of a file as a whole."""
        place = next((place for place in self._places if place.line and self._is_here(place)), None)
        return None if place is None else (place.line - 1, place.column - 1)

    @property
    def _base_at_fault(self) -> str:
        """The file that has the mistakes where this text has none; "" where it has."""
        files = [place.file for place in self._places if not self._is_here(place)]
        return files[0] if files and len(files) == len(self.problems) else ""

    @property
    def _places(self) -> tuple[Place, ...]:
        return tuple(problem.place for problem in self.problems if problem.place is not None)

    def _is_here(self, place: Place) -> bool:
        return self._shown is not None and self._shown.session.is_in_text(place)

    @on(TextArea.Changed)
    def _changed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE_S, self._read)

    def _read(self) -> None:
        """Whether what is written is a design; then it is told."""
        text = self.editor.text
        if self._shown is None or text == self._shown.session.text:
            self.problems = ()
        else:
            try:
                self._shown.session.written(text)
            except ConvlabError as error:
                self.problems = error.problems
            else:
                self.problems, self._known = (), text
                self.post_message(TextWritten(text))
        self._tell()

    def _take(self, text: str) -> None:
        """Put the text in by replacing what differs: cursor and scroll stay where they are."""
        self._known = text
        old = self.editor.text
        if old == text:
            return
        least = min(len(old), len(text))
        start = next((place for place in range(least) if old[place] != text[place]), least)
        end = next((back for back in range(least - start) if old[-1 - back] != text[-1 - back]), least - start)
        first, last = (_location(old, place) for place in (start, len(old) - end))
        self.editor.replace(text[start : len(text) - end], first, last, maintain_selection_offset=True)

    def _tell(self) -> None:
        elsewhere = self._shown is not None and bool(self.problems) and source_text(self._shown.session) != self._known
        base = self._base_at_fault
        self._before = (*[ELSEWHERE] * elsewhere, *[IN_BASE.format(Path(base).name)] * bool(base))
        rendered = sum(render(problem).count("\n") + 2 for problem in self.problems)
        self.sheet.styles.height = 1 + (rendered + len(self._before) if self.problems else 1)
        self.sheet.border_title = None if not self.problems else KEYS_OF_BASE if base else KEYS
        self.sheet.redraw()
        # The message takes room from the text; once for each, as one who scrolls on does not want to be taken back.
        if self.problems != self._revealed and self._mistake is not None:
            self.call_after_refresh(self.editor.reveal, self._mistake[0])
        self._revealed = self.problems

    def _picture(self, size: Size, pointed: str) -> Picture:
        if not self.problems:
            return Picture(((Span(clipped(FINE, size.width), "good"),),))
        return Picture(problem_lines(self.problems, size.width, before=self._before))


def _location(text: str, place: int) -> tuple[int, int]:
    """Row and column of a place in a text."""
    return text.count("\n", 0, place), place - text.rfind("\n", 0, place) - 1


def source_text(session: Session) -> str:
    """The text to edit: that of the design, or of a file that is no design yet."""
    return session.text if session.broken is None else session.broken.text


def problem_lines(problems: tuple[Problem, ...], width: int, *, before: tuple[str, ...] = ()) -> tuple[Line, ...]:
    """Every problem as the shell renders it, after what has to be known before: message, line, carets, help."""
    lines: list[Line] = [(Span(clipped(words, width), "warning"),) for words in before]
    for problem in problems:
        for line in render(problem).splitlines():
            role = "bad" if line.startswith("error:") or "^" in line else "accent" if "= help:" in line else "text"
            lines.append((Span(clipped(line, width), role),))
        lines.append(())
    return tuple(lines[:-1])
