"""A panel: what every one of them is shown, and what they tell the screen. Attributes go down, messages go up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from textual.message import Message
from textual.widget import Widget

if TYPE_CHECKING:
    from convlab.costs import Profile
    from convlab.session import Session
    from convlab.tui.jobs import JobState


@final
@dataclass(frozen=True)
class Shown:
    """What there is to show: the session and the figures of its designs, what is selected, and what runs."""

    session: Session
    profile: Profile
    baseline: Profile
    pinned: tuple[Profile, ...] = ()
    layer: str = ""
    """The selected layer or knob path."""
    jobs: tuple[JobState, ...] = ()


@final
class Turned(Message):
    """A person turned a knob."""

    def __init__(self, path: str, value: Any) -> None:
        super().__init__()
        self.path = path
        self.value = value


@final
class Asked(Message):
    """A person asked for an action of the screen, by its name and what it is about: "walk_to roadmap/04_depthwise"."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action


@final
class LayerChosen(Message):
    """A person chose a layer, a block or a stage, by its layer path."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


@final
class TextWritten(Message):
    """A person wrote the source of a design, and it is one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Panel(Widget):
    """Abstract: one view of the design in a tab of its own. A new panel is a file here and its name in ``PANELS``."""

    title: ClassVar[str]
    """On its tab."""
    key: ClassVar[str]
    """Its name for the screen and what is remembered, such as "cost"."""
    help: ClassVar[str]
    """What it shows and which keys it has, in a few sentences."""

    DEFAULT_CSS = """
    Panel { height: 1fr; width: 1fr; }
    """

    @property
    def waiting(self) -> bool:
        """Whether something was written here that is in no design yet."""
        return False

    def show(self, shown: Shown) -> None:
        """Show this. Called while the panel is visible, and when it becomes so."""
        raise NotImplementedError
