"""Design files: loading with inheritance and ``--set``, every error at its place; saving, whole or not at all."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlab.assignments import Assignment, parse_assignment
from convlab.design import FORMAT, Design
from convlab.documents import Document, read
from convlab.errors import ConvlabError, Place, Problem, did_you_mean, quote
from convlab.presets import preset_names, preset_path
from convlab.turning import PLURALS, STAGE_SECTIONS, Fault, assign
from convlab.validation import faults
from convlab.writing import text_of, text_on_base

MAXIMUM_BASES = 32
SPACE_KEYS = ("vary", "rules", "limits")


@dataclass(frozen=True)
class Source:
    """One thing that sets knobs: a document, or an argument of ``--set``; ``data`` is its table, as ``assign`` takes it."""

    document: Document
    data: dict[str, Any]
    assignment: Assignment | None = None

    def place(self, path: Sequence[str | int], of: Any = "value") -> Place | None:
        """Where a path was written, or the nearest part of it that was."""
        if self.assignment is None:
            return self.document.place(tuple(path), of)
        return (
            self.document.place(tuple(path)) or self.assignment.place_of_path()
            if of == "value"
            else self.assignment.place_of_path()
        )


def load(source: str | os.PathLike[str], *, sets: Iterable[str] = ()) -> Design:
    """The design of a file or of a preset's name, with ``--set``'s arguments put in. Raises ConvlabError with everything wrong."""
    chain = sources(source)
    for key in SPACE_KEYS:
        if key in chain[-1].data:
            place = chain[-1].place((key,), "key")
            help = "convlab space count, sample and cost take spaces"
            raise ConvlabError(Problem("bad-space", "this is a space, not a design", place, help=help))
    design = resolve([*chain, *settings(sets)])
    return dataclasses.replace(design, name=Path(source).name.removesuffix(".toml"))


def sources(source: str | os.PathLike[str]) -> list[Source]:
    """The documents that make a design, the oldest base first."""
    documents: list[Document] = []
    seen: list[Path] = []
    path = find(source)
    while True:
        document = read(path)
        documents.append(document)
        _check_format(document)
        seen.append(path.resolve())
        base = document.data.get("base")
        if base is None:
            break
        place = document.place(("base",))
        if not isinstance(base, str):
            raise ConvlabError(Problem("wrong-type", "base is the name of a preset or a file", place, path="base"))
        try:
            path = find(base, Path(document.name).parent)
        except ConvlabError as error:
            raise ConvlabError(*(dataclasses.replace(problem, place=place) for problem in error.problems)) from None
        if path.resolve() in seen:
            names = " -> ".join(item.name for item in [*seen, path])
            raise ConvlabError(Problem("base-cycle", f"base goes round in a circle: {names}", place, path="base"))
        if len(seen) == MAXIMUM_BASES:
            raise ConvlabError(
                Problem("base-cycle", f"over {MAXIMUM_BASES} bases, one on the other", place, path="base")
            )
    own, *bases = documents
    return [
        *(_without(base, ("base", "format", *SPACE_KEYS)) for base in reversed(bases)),
        _without(own, ("base", "format")),
    ]


def _without(document: Document, keys: Sequence[str]) -> Source:
    return Source(document, {key: value for key, value in document.data.items() if key not in keys})


def settings(sets: Iterable[str]) -> list[Source]:
    """The sources that ``--set``'s arguments are."""
    found = []
    for argument in sets:
        assignment = parse_assignment(argument)
        table: Any = assignment.value
        for part in reversed(assignment.path):
            table = {part: table}
        found.append(Source(assignment.document, table, assignment))
    return found


def resolve(chain: Sequence[Source]) -> Design:
    """The design that sources make together, each on top of those before it. Raises ConvlabError with everything wrong."""
    design = Design()
    problems: list[Problem] = []
    for index, source in enumerate(chain):
        turned = assign(design, source.data)
        last = index == len(chain) - 1
        problems += [_placed(source, fault) for fault in turned.faults if last or fault.problem.code != "missing-key"]
        design = turned.design
    if problems:
        raise ConvlabError(*problems)
    broken = faults(design)
    if broken:
        raise ConvlabError(*(dataclasses.replace(problem, place=_written(chain, problem.path)) for problem in broken))
    return design


def find(source: str | os.PathLike[str], folder: Path | None = None) -> Path:
    """The file that a path or a preset's name means; a relative path is taken from ``folder``."""
    text = os.fspath(source)
    preset = None if text.endswith(".toml") else preset_path(text)
    if preset is not None:
        return preset
    path = Path(text) if folder is None else folder / text
    if text.endswith(".toml") or path.exists():
        return path
    names = preset_names()
    label = did_you_mean(text, names)
    help = f"{label}; " if label else ""
    problem = Problem(
        "unknown-preset",
        f"there is no preset {quote(text)}",
        help=f"{help}convlab presets lists them; a file ends in .toml",
    )
    raise ConvlabError(problem, exit_code=2)


def save(design: Design, path: str | os.PathLike[str], *, base: str = "") -> None:
    """Write a design as TOML, whole or not at all; with ``base`` (a preset's name or a file) only what differs from it."""
    text = text_on_base(design, load(base), base) if base else text_of(design)
    write_whole(Path(path), text.encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that at any moment the old content or the new one is there. Raises ConvlabError where it cannot."""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise


def _unwritable(path: Path, error: OSError) -> ConvlabError:
    problem = Problem(
        "unreadable-file", f"cannot write {quote(str(path))}: {error.strerror}", help="choose another place"
    )
    return ConvlabError(problem, exit_code=2)


def _check_format(document: Document) -> None:
    version = document.data.get("format", FORMAT)
    place = document.place(("format",))
    if type(version) is not int or version < 1:
        raise ConvlabError(
            Problem("wrong-type", "format is the version of the language, a whole number", place, path="format")
        )
    if version > FORMAT:
        message = f"format {quote(version)} is newer than this convlab reads ({FORMAT})"
        raise ConvlabError(
            Problem("newer-format", message, place, help="update convlab: pip install -U convlab", path="format")
        )


def _placed(source: Source, fault: Fault) -> Problem:
    path: list[Any] = list(fault.path)
    place = source.place(path, fault.of) if path else None
    while place is None and path:
        path.pop()
        place = source.place(path) if path else None
    if place is None:
        place = (
            Place(source.document.name, 0, 0, "", 0) if source.assignment is None else source.assignment.place_of_path()
        )
    return dataclasses.replace(fault.problem, place=place)


def _written(chain: Sequence[Source], path: str) -> Place | None:
    """Where the value of a knob was written: by the last source that speaks of it, at the most specific place there."""
    for candidate in _spellings(path):
        for source in reversed(chain):
            place = source.place(candidate) if _contains(source.data, candidate) else None
            if place is not None:
                return place
    return Place(chain[-1].document.name, 0, 0, "", 0) if chain else None


def _spellings(path: str) -> list[list[str | int]]:
    """The paths under which a knob of a stage may have been written, the most specific first."""
    parts: list[Any] = path.split(".")
    found: list[list[str | int]] = []
    while parts:
        found.append(list(parts))
        if parts[0] == "stages" and len(parts) > 2:
            found.append(["stages", "*", *parts[2:]])
            if parts[2] in STAGE_SECTIONS:
                found += [[*parts[2:], int(parts[1])], list(parts[2:])]
            found += [[plural, int(parts[1])] for plural, name in PLURALS.items() if parts[2:] == [name]]
        parts.pop()
    if path.startswith("stages."):
        found.append(["block"])
    return found


def _contains(data: Any, path: Sequence[str | int]) -> bool:
    for part in path:
        if isinstance(part, int):
            if not isinstance(data, list) or part >= len(data):
                return False
            data = data[part]
        elif not isinstance(data, dict) or part not in data:
            return False
        else:
            data = data[part]
    return True
