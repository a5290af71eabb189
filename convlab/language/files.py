"""Design files: loading with inheritance and ``--set``, every error at its place; saving, whole or not at all."""

from __future__ import annotations

import dataclasses
import os
import stat
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from convlab.documents.assignments import parse_assignment
from convlab.documents.document import Document, parse, read
from convlab.errors import ConvlabError, Place, Problem, did_you_mean, quote
from convlab.language.assigning import assign
from convlab.language.design import FORMAT, Design
from convlab.language.places import Source, placed
from convlab.language.validation import faults
from convlab.language.writing import text_of, text_on_base
from convlab.presets import preset_names, preset_path

MAXIMUM_BASES = 32
SPACE_KEYS = ("vary", "rules", "limits")
_NO_CIRCLE = "one of the files must have no base, or another one"


def load(source: str | os.PathLike[str], *, sets: Iterable[str] = ()) -> Design:
    """The design of a file or of a preset's name, with ``--set``'s arguments put in. Raises ConvlabError with everything wrong."""
    return dataclasses.replace(_load(sources(source), sets), name=Path(source).name.removesuffix(".toml"))


def load_text(text: str, *, name: str = "design", sets: Iterable[str] = ()) -> Design:
    """The design of a file's text, as ``load`` gives that of the file; ``name`` stands for the file in errors."""
    return _load(sources_of_text(text, name=name), sets)


def _load(chain: list[Source], sets: Iterable[str]) -> Design:
    if isinstance(sets, str):
        sets = (sets,)
    for key in SPACE_KEYS:
        if key in chain[-1].data:
            place = chain[-1].place((key,), "key")
            help = "convlab space count, sample and cost take spaces"
            raise ConvlabError(Problem("bad-space", "this is a space, not a design", place, help=help))
    return resolve([*chain, *settings(sets)])


def sources(source: str | os.PathLike[str]) -> list[Source]:
    """The documents that make a design, the oldest base first."""
    path = find(source)
    return _on_bases(read(path), path)


def sources_of_text(text: str, *, name: str = "design") -> list[Source]:
    """The documents that make the design of a file's text, the oldest base first."""
    return _on_bases(parse(text, name), Path(name))


def _on_bases(document: Document, path: Path) -> list[Source]:
    """A document and those of its bases, the oldest first."""
    _check_format(document)
    seen = [path]
    found = [Source(document, _without(document.data, ("base", "format")))]
    while "base" in document.data:
        above, (path, document) = document, _read_base(document)
        names = " -> ".join(str(item) for item in [*seen, path])
        if any(path.resolve() == other.resolve() for other in seen):
            raise _bad_base(above, "base-cycle", f"base goes round in a circle: {names}", _NO_CIRCLE)
        if len(seen) == MAXIMUM_BASES:
            raise _bad_base(above, "base-cycle", f"over {MAXIMUM_BASES} bases, one on the other", _NO_CIRCLE)
        if any(key in document.data for key in SPACE_KEYS):
            help = "name a design; a space may itself have a base"
            raise _bad_base(above, "bad-space", "the base is a space, not a design", help)
        seen.append(path)
        found.append(
            Source(document, _without(document.data, ("base", "format", "summary")))
        )  # a summary is of one file
    return found[::-1]


def _without(table: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def _read_base(document: Document) -> tuple[Path, Document]:
    """The base of a document; what cannot be read as a file at all is told at the place that names it."""
    base = document.data["base"]
    if not isinstance(base, str):
        help = 'base = "convnext_t", or base = "mine.toml"'
        raise _bad_base(document, "wrong-type", f"base is the name of a preset or a file, not {quote(base)}", help)
    try:
        path = find(base, Path(document.name).parent)
        found = read(path)
    except ConvlabError as error:
        place = document.place(("base",))
        problems = [
            problem if problem.place and problem.place.line else dataclasses.replace(problem, place=place, path="base")
            for problem in error.problems
        ]
        raise ConvlabError(*problems, exit_code=error.exit_code) from None
    _check_format(found)
    return path, found


def _bad_base(document: Document, code: str, message: str, help: str) -> ConvlabError:
    return ConvlabError(Problem(code, message, document.place(("base",)), help=help, path="base"))


def settings(sets: Iterable[str]) -> list[Source]:
    """The sources that ``--set``'s arguments are."""
    found = []
    for argument in sets:
        assignment = parse_assignment(argument)
        table: Any = assignment.value
        for part in reversed(assignment.path):
            table = {part: table}
        found.append(Source(assignment.document, table, assignment))
    return _stages_together(found)


def _stages_together(found: list[Source]) -> list[Source]:
    """Lists of depths and of widths take effect at once, so that they can change the number of stages."""
    lists = [source for source in found if any(isinstance(source.data.get(key), list) for key in ("depths", "widths"))]
    if {key for source in lists for key in source.data} != {"depths", "widths"}:
        return found
    both = {key: value for source in lists for key, value in source.data.items()}
    last = Source(lists[-1].document, both, lists[-1].assignment)
    kept = [source for source in found if not any(source is other for other in lists[:-1])]
    return [last if source is lists[-1] else source for source in kept]


def resolve(chain: Sequence[Source]) -> Design:
    """The design that sources make together, each on top of those before it. Raises ConvlabError with everything wrong."""
    design = Design()
    problems: list[Problem] = []
    for source in chain:
        turned = assign(design, source.data)
        told = {problem.code for problem in problems} & {"missing-key"}
        problems += [source.placed(fault) for fault in turned.faults if fault.problem.code not in told]
        design = turned.design
    if not problems:
        problems = placed(chain, faults(design), len(design.stages))
    if problems:
        raise ConvlabError(*problems)
    return design


def find(source: str | os.PathLike[str], folder: Path | None = None) -> Path:
    """The file that a path or a preset's name means; a relative path is taken from ``folder``."""
    text = os.fspath(source)
    path = Path(text) if folder is None else folder / text
    preset = preset_path(text.removesuffix(".toml"))
    if not text.endswith(".toml"):
        if preset is not None:
            return preset
        if text and _is_there(path):
            return path
        raise _unknown_preset(text)
    if preset is not None and not _is_there(path):
        label = f"did you mean the preset {quote(text.removesuffix('.toml'))}?"
        place = Place(str(path), 0, 0, "", 0)
        problem = Problem(
            "unreadable-file", f"there is no file {quote(str(path))}", place, label, "check the spelling and the folder"
        )
        raise ConvlabError(problem, exit_code=2)
    return path


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder that may not be read
        return False


def _unknown_preset(name: str) -> ConvlabError:
    names = (*preset_names(), *preset_names("roadmap"))
    longer = next((other for other in names if name and other.startswith(name)), "")
    label = f"did you mean {quote(longer)}?" if longer else did_you_mean(name, names)
    help = "convlab presets lists them; the name of a file ends in .toml"
    return ConvlabError(
        Problem("unknown-preset", f"there is no preset {quote(name)}", label=label, help=help), exit_code=2
    )


def save(design: Design, path: str | os.PathLike[str], *, base: str = "", force: bool = False) -> None:
    """Write a design as TOML, whole or not at all; with ``base`` (a preset's name or a file) only what differs from it.

    It takes the place of a design that is there; a file that holds none stays, unless ``force``. Raises ConvlabError.
    """
    target = Path(path)
    if not force:
        _refuse_other_content(target)
    if not base:
        return write_whole(target, text_of(design).encode())
    # A base that is a file is found from the folder of the file that names it.
    name = base if preset_path(base) is not None else os.path.relpath(base, target.parent)
    return write_whole(target, text_on_base(design, load(base), name).encode())


def _refuse_other_content(path: Path) -> None:
    try:
        if path.is_file() and path.stat().st_size > 0:
            load(path.absolute())  # as a path: a bare name would be that of a preset
    except OSError:  # the writing tells what is wrong with the place
        pass
    except ConvlabError:
        message = f"{quote(str(path))} is already there, and holds no design"
        help = "name another file; force=True writes over it"
        raise ConvlabError(Problem("already-there", message, help=help), exit_code=2) from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that at any moment the old content or the new one is there. Raises ConvlabError where it cannot.

    A link is followed, the mode of a file that is there is kept, and a pipe or a device is written to as it is.
    """
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(content)
            return
        mode = stat.S_IMODE(path.stat().st_mode) if path.is_file() else None
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):  # where nothing could be written, nothing need be found either
            temporary.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> ConvlabError:
    problem = Problem(
        "unreadable-file", f"cannot write {quote(str(path))}: {error.strerror}", help="choose another place"
    )
    return ConvlabError(problem, exit_code=2)


def _check_format(document: Document) -> None:
    version = document.data.get("format", FORMAT)
    if type(version) is int and 1 <= version <= FORMAT:
        return
    place = document.place(("format",))
    if type(version) is not int or version < 1:
        message = f"format is the version of the language, not {quote(version)}"
        raise ConvlabError(Problem("wrong-type", message, place, help=f"write format = {FORMAT}", path="format"))
    message = f"format {quote(version)} is newer than this convlab reads ({FORMAT})"
    help = "update convlab: pip install -U convlab"
    raise ConvlabError(Problem("newer-format", message, place, help=help, path="format"))
