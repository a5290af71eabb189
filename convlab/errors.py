"""What convlab says when a person's input cannot be used: where, what, and a way out, as data and as plain text.
Every problem has a stable code; `CODES` explains each of them."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, final

CODES: dict[str, str] = {
    "toml-syntax": "The text is not TOML. The caret stands where reading stopped; the mistake is there or just before. "
    "Text values stand in quotes, lists in [ ], every key = value on its own line, and no key is given twice.",
    "unreadable-file": "The file cannot be opened: it does not exist, it may not be read, or its name is not valid. "
    "Check the spelling, the folder you are in, and the permissions (ls -l).",
    "not-a-file": "The name belongs to a folder, a pipe or a device. Name a regular file, such as designs/mine.toml.",
    "not-text": "The file holds bytes that are not UTF-8 text. It is a binary file (a checkpoint, a picture), or text "
    "in another encoding. Name the TOML file, or save the text as UTF-8.",
    "byte-order-mark": "The text starts with a byte order mark, an invisible sign that some editors write and TOML "
    'does not allow. Save the file as plain "UTF-8": not as "UTF-8 with BOM", "Unicode" or "UTF-16".',
    "too-large": "The file is over 1 MB. A design has some dozens of lines, so this is probably another file.",
    "nested-too-deeply": "Lists, tables or dotted keys lie inside each other more than 64 deep. No knob lies deeper "
    "than a few levels; look for brackets that are not closed, or flatten the value.",
    "number-too-long": "A number has more than 100 digits. Write a large number with an exponent, such as 4.5e9.",
    "unknown-key": "A key is not part of the language at this place. It is misspelled, or stands in the wrong table. "
    "The help lists the keys that this table knows.",
    "unknown-kind": "The kind of a block, stem, downsampling or head is none that convlab knows. "
    "The help lists the kinds.",
    "unknown-preset": "There is no preset of this name. The help lists the presets; a file is named by its path, "
    "such as ./mine.toml.",
    "unknown-recipe": "There is no recipe of this name. `convlab recipes` lists them; a recipe of your own is a TOML file, named by its "
    "path, such as ./mine.toml.",
    "wrong-type": "The value is of another type than the knob takes: text where a number is expected, say. "
    "Numbers, true and false stand without quotes, text with quotes.",
    "out-of-range": "The value lies outside the bounds of the knob, or is none of its choices. "
    "`convlab explain KNOB` shows the bounds and the unit.",
    "wrong-length": "A list does not hold one value a stage. Give one value for each stage, or a single value for all.",
    "missing-key": "A key without a default is not given. Add it to the table that the message names.",
    "base-cycle": "A design inherits from itself by way of its base. Break the circle: one of the files must have "
    "no base, or another one.",
    "bad-set": "An assignment on the command line cannot be read. It is a knob path, '=', and a TOML value: "
    "--set stages.2.depth=27, --set 'stages.*.block.kernel_size=9'. Quote it where the shell would change it.",
    "groups-do-not-divide": "The number of groups, or of heads of attention, does not divide the channels that it splits. "
    "Change the width or the number, or give group_width: the widths are then rounded, and you are told.",
    "map-vanishes": "The feature map is smaller than one pixel at this layer: the strides are too many or the image is "
    "too small. Take a stride away, or enlarge the image.",
    "too-big": "The network is larger than convlab is willing to build or to count. Look for a width or depth with "
    "a zero too many.",
    "newer-format": "The file says that it is written in a newer version of the language than this convlab reads. "
    "Upgrade convlab; the file is not changed.",
    "bad-layer": 'A written layer cannot be read, or does not fit there. It looks like "depthwise(7)" or '
    '"pointwise(4x)"; the help lists the layers.',
    "bad-name": "A name holds characters that file names, checkpoint keys or reports cannot carry. "
    "Use letters, digits, '_' and '-'.",
    "bad-space": "What varies in a space cannot be read. A list is choices; a table with low, high, step is a range; "
    "the key is a knob path.",
    "empty-space": "No design is left: a range holds no value, or the rules exclude each other. "
    "Widen the range or drop a rule.",
    "not-a-member": "The design is no member of the space, so it has no index there. A value lies between the steps of "
    "a range, or outside of it.",
    "not-finite": "A network's output holds infinities or NaN. Numbers grow beyond what the number format holds: try another "
    "dtype, or look for a place where a norm is missing.",
    "already-there": "A file or folder of that name is there, and nothing is overwritten unasked. "
    "Take another name, or add --force.",
    "missing-package": "What was asked for needs a Python package that convlab does not install by itself. "
    "The help has the pip command that does.",
    "differs": "What was exported does not compute what the model computes, or holds other weights, so it is not kept. "
    "The message says by how much.",
    "not-pushed": "The Hugging Face hub was not reached, or did not take the upload. Nothing that was written here is lost; "
    "log in with `hf auth login`, or look at the network.",
    "bad-checkpoint": "The file holds no weights that can be read: it is damaged, cut off by a download, or another kind of file. "
    "Fetch it again, or name a .safetensors file or a PyTorch checkpoint (.pth, .pt, .bin) of a state dict.",
    "unsafe-checkpoint": "The file is a pickle that holds more than tensors. To read it would run code that it brings along, so convlab "
    "does not. Where you trust its source, open it with torch.load yourself, take out the state dict, and save that as safetensors.",
    "weights-do-not-fit": "The checkpoint belongs to another network than the design: tensors are missing, left over or of another "
    "shape. Nothing was loaded. Name the design that the weights were trained with, or say what to ignore.",
    "no-layout": "A layout is how a project names the weights of a network. This one is unknown, or has no name for some layer of the "
    "design. `convlab weights layouts DESIGN` lists those that fit.",
    "not-fetched": "Published weights could not be fetched. Check the name and the network, or download the file and name its path.",
    "unknown-network": "No installed package has a network of this name. A name is that of a design, or timm:NAME, torchvision:NAME or "
    "transformers:TYPE.",
    "not-a-store": "What was named is not a store of runs: a folder, another kind of file, another application's database, or a "
    "damaged file. Nothing in it was changed. Name another with --store, or `convlab config` shows which one is set.",
    "newer-store": "The store was written by a newer convlab, whose tables this one does not know. Nothing was changed. Update convlab, or "
    "name another store.",
    "store-failed": "The store could not be opened, read or written: a full disk, missing permission, a server that is not reached. What "
    "was stored before is still there.",
    "store-busy": "Another process has kept the store locked for too long. End it, or try again when it is done.",
    "unknown-run": "No run of the store is meant by this, or several are. A run is named by its id, by how it or its last letters begin, "
    "or latest; `convlab runs list` shows them.",
    "bad-query": "The query is not one that the store's database runs: it is no SQL, names what is not there, or would change something. "
    "`convlab runs query --help` lists the views.",
    "bad-calibration": "A file of `convlab calibrate` cannot be read: it is damaged, or something else. Predictions do without it; "
    "measure again with `convlab calibrate`, or delete the file.",
    "not-calibrated": "Speed is predicted from a calibration of this device, with this version of torch, number of threads, number "
    "format and layout, and there is none. `convlab calibrate` measures one in a minute or two.",
    "unknown-data": "No data set is meant by this. A set is named by its name, which `convlab data` lists, or by the path of a folder "
    "with a folder of pictures a class, of .parquet files, or of the files of a known set.",
    "missing-data": "The data set is known, but it is not on this machine, and nothing is downloaded unasked. "
    "`convlab data get NAME` downloads it, or the help says how to get it.",
    "damaged-data": "A file of a data set cannot be read: it is cut off, changed, or another kind of file. Fetch it again, or take it "
    "out of the folder.",
    "unfit-data": "The pictures are there, but nothing can be learned from them as they lie: fewer than two classes, a class of a split "
    "that training never sees, or an empty split. Put the folders right; `convlab data show PATH` shows what was found.",
    "data-not-fetched": "A data set could not be downloaded. Nothing half is kept in its place; what came already is continued "
    "when the command is run again.",
    "not-drawn": "A chart could not be drawn as a picture. SVG, PNG and PDF take a browser on this machine (chromium, Chrome, Edge) or "
    "the package kaleido; HTML and JSON take neither.",
    "not-saved": "A checkpoint could not be written: the disk is full, or the folder may not be written to. Training ends, since what "
    "follows could be lost; the checkpoints before it are whole, and --resume goes on from the newest.",
    "other-training": "A training is resumed with another design, recipe or data set than it was begun with, so that it would be neither "
    "the one nor the other. Resume without naming them, or train anew in another folder.",
    "worker-ended": "The process that did the work could not be started, or ended without saying how: it was killed, for want of memory "
    "perhaps, or crashed. What was stored and saved before is still there, and a training goes on from it with --resume.",
    "internal-error": "A mistake in convlab itself; what you wrote is not to blame. Run the command again with --debug "
    "and report what it prints.",
    "usage": "The command was called in a way that it does not understand. `convlab COMMAND --help` shows how, "
    "with an example.",
}

_QUOTED_WIDTH = 60
_LINE_WIDTH = 100
_WIDTH_AFTER_CARET = 60
_LONGEST_MISSPELLING = 60


@final
@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line in a file; line and column count from 1, and line 0 is the file as a whole."""

    file: str
    line: int
    column: int
    text: str
    """The whole source line."""
    length: int
    """How many characters the carets cover."""


@final
@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what (message), where (place, knob path), and a way out (label beside carets, help)."""

    code: str
    message: str
    place: Place | None = None
    label: str = ""
    help: str = ""
    path: str = ""

    def __post_init__(self) -> None:
        assert self.code in CODES, self.code


@final
class ConvlabError(Exception):
    """Problems for a person to mend, all those that were found at once, in the order of their places."""

    def __init__(self, *problems: Problem, exit_code: int = 1) -> None:
        assert problems
        super().__init__(*problems)
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=_order))
        self.exit_code = exit_code

    def __str__(self) -> str:
        return "\n\n".join(map(render, self.problems))

    def to_json(self) -> list[dict[str, str | int | None]]:
        """The problems as plain dicts; file, line and column are None where there is no such place."""
        return [_plain(problem) for problem in self.problems]


def render(problem: Problem) -> str:
    """The problem as plain text of several lines, safe for a terminal whatever the user's text holds."""
    place = problem.place
    margin = " " * (len(str(place.line)) if place else 1)
    lines = [f"error: {visible(problem.message)}"]
    label = visible(problem.label)
    if place and place.line:
        source, padding, carets = _excerpt(place)
        lines += [
            f" {margin}--> {visible(place.file)}:{place.line}:{place.column}",
            f" {margin} |",
            f" {place.line} | {source}".rstrip(),
            f" {margin} | {padding}{carets} {label}".rstrip(),
        ]
    else:
        where = place.file if place else problem.path
        lines += [f" {margin}--> {visible(where)}"] * bool(where) + [f" {margin} = note: {label}"] * bool(label)
    if problem.help:
        lines.append(f" {margin} = help: {visible(problem.help)}")
    return "\n".join(lines)


def visible(text: str) -> str:
    """The text with control, formatting and other unprintable characters written as escapes, such as \\x1b."""
    return "".join(map(_shown, text))


def quote(value: object) -> str:
    """A user's value as TOML would write it, clipped to about 60 characters, for use in a message."""
    if isinstance(value, str):
        return '"' + _clip(_inside_quotes(value), _QUOTED_WIDTH) + '"'
    return _clip(_pieces(value), _QUOTED_WIDTH)


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """'did you mean "convnext"?' for the choice that is closest to the word, '' where none is close."""
    if len(word) > _LONGEST_MISSPELLING:
        return ""
    names = {_folded(choice): choice for choice in choices}
    close = difflib.get_close_matches(_folded(word), names, n=1, cutoff=0.65)
    return f"did you mean {quote(names[close[0]])}?" if close else ""


def _order(problem: Problem) -> tuple[str, int, int]:
    place = problem.place
    return (place.file, place.line, place.column) if place else ("", 0, 0)


def _plain(problem: Problem) -> dict[str, str | int | None]:
    place = problem.place
    return {
        "code": problem.code,
        "path": problem.path,
        "file": place.file if place else None,
        "line": place.line if place and place.line else None,
        "column": place.column if place and place.line else None,
        "message": problem.message,
        "label": problem.label,
        "help": problem.help,
    }


def _excerpt(place: Place) -> tuple[str, str, str]:
    """The source line, clipped around the caret, the padding below it, and the carets."""
    at = min(place.column - 1, len(place.text))
    # A line may have a million characters: only what can be seen is looked at.
    first = max(0, at - _LINE_WIDTH)
    last = min(len(place.text), at + _LINE_WIDTH)
    cells = ["    " if character == "\t" else _shown(character) for character in place.text[first:last]]
    widths = [sum(map(_columns, cell)) for cell in cells]
    start = end = here = at - first
    used = 0
    for reach in (_WIDTH_AFTER_CARET, _LINE_WIDTH):
        while end < len(cells) and used + widths[end] <= reach:
            used += widths[end]
            end += 1
        while start > 0 and used + widths[start - 1] <= _LINE_WIDTH:
            start -= 1
            used += widths[start]
    before = "..." if first + start > 0 else ""
    after = "..." if first + end < len(place.text) else ""
    padding = " " * (len(before) + sum(widths[start:here]))
    carets = "^" * max(1, sum(widths[here : min(end, here + place.length)]))
    return before + "".join(cells[start:end]) + after, padding, carets


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _columns(character: str) -> int:
    """How many columns of a terminal the printable character takes."""
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _clip(pieces: Iterable[str], limit: int) -> str:
    kept: list[str] = []
    width = 0
    for piece in pieces:
        width += len(piece)
        if width > limit:
            return "".join(kept) + "..."
        kept.append(piece)
    return "".join(kept)


def _inside_quotes(text: str) -> Iterator[str]:
    return ("\\" + character if character in '"\\' else _shown(character) for character in text)


def _pieces(value: Any) -> Iterator[str]:
    """The value piece by piece, so that the reader may stop early: it may be huge, or deep."""
    if isinstance(value, str):
        yield '"'
        yield from _inside_quotes(value)
        yield '"'
    elif isinstance(value, bool):
        yield str(value).lower()
    elif isinstance(value, int) and value.bit_length() > 3 * _QUOTED_WIDTH:
        yield "a number of over 50 digits"  # str() refuses an integer of over 4300 digits
    elif isinstance(value, dict):
        yield "{"
        for number, (key, item) in enumerate(value.items()):
            yield ", " if number else ""
            yield from _inside_quotes(str(key))
            yield " = "
            yield from _pieces(item)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for number, item in enumerate(value):
            yield ", " if number else ""
            yield from _pieces(item)
        yield "]"
    else:
        yield from visible(str(value))


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_")
