"""The verb: a design written in a format, checked, and told."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import final

from convlab import units
from convlab.errors import ConvlabError, Problem, quote
from convlab.exports.formats import FORMATS, Format, format_of
from convlab.exports.origin import Check, Origin, Weights
from convlab.exports.targets import Target
from convlab.language.design import Design
from convlab.language.validation import validated


@final
@dataclass(frozen=True, eq=False)
class Exported:
    """What was written: where, the files that it consists of, the checks that it passed, how long it took.

    ``random`` are the paths of weights that the given ones lack. Where none were given, all are random.
    """

    origin: Origin
    format: Format
    path: Path
    files: tuple[Path, ...]
    bytes: int
    checks: tuple[Check, ...]
    random: tuple[str, ...]
    seconds: float

    @property
    def difference(self) -> float | None:
        """The largest difference from the model, relative to the largest output; None where nothing was compared."""
        return max((check.difference for check in self.checks), default=None)

    def __repr__(self) -> str:
        origin = self.origin
        weights = f", weights {origin.weights_text}" if self.format.weights else ""
        difference = "" if self.difference is None else f", difference {self.difference:.1e}"
        size = units.size(self.bytes)
        return (
            f"Exported({origin.design.name!r} as {self.format.name}: {str(self.path)!r}, {size}{weights}{difference})"
        )


def export(
    design: Design,
    *,
    to: str,
    path: str | os.PathLike[str] | None = None,
    weights: Weights = None,
    seed: int = 0,
    ignore: Iterable[str] = (),
    base: str = "",
    folded: bool = False,
    force: bool = False,
    push: str = "",
) -> Exported:
    """Write a design as "onnx", "torch-export", "safetensors", "hub", "toml" or "python", and check what was written.

    Without ``path`` it goes to the current folder, under the design's name. ``weights`` is a file, the name of published weights,
    a state dict or a model; without them they are random, of ``seed``, as are those whose paths begin with one of ``ignore``
    (``["head"]``). ``base`` is what a TOML file inherits from; ``folded`` takes batch norms
    and parallel branches into convolutions first (graphs only); ``push`` is the repository of the Hugging Face hub ("user/name")
    that a folder is uploaded to. Nothing is overwritten without ``force``. Raises ConvlabError where the design is not valid,
    weights do not fit, a package is missing, or a check fails.
    """
    under_way = begin(
        Origin(design, weights, seed, base, folded, _beginnings(ignore)), to=to, path=path, force=force, push=push
    )
    while True:
        try:
            next(under_way)
        except StopIteration as end:
            found: Exported = end.value
            return found


def begin(
    origin: Origin, *, to: str, path: str | os.PathLike[str] | None = None, force: bool = False, push: str = ""
) -> Generator[str, None, Exported]:
    """An export under way, as ``export`` describes it: it tells what it does next, and ends with the result."""
    format = format_of(to)
    _refuse_other_things(origin.design)
    validated(origin.design)
    target = Target(format.usual_path(origin.design) if path is None else Path(path), force, push)
    with target.on_disk():
        format.refuse_other_names(target.path)
    _refuse_unused(origin, target, format)
    began = perf_counter()
    written = yield from format.write(origin, target)
    seconds = perf_counter() - began
    size = sum(file.stat().st_size for file in written.files)
    return Exported(origin, format, target.path, written.files, size, written.checks, written.random, seconds)


def _beginnings(ignore: Iterable[str]) -> tuple[str, ...]:
    return (ignore,) if isinstance(ignore, str) else tuple(ignore)


def _refuse_other_things(design: object) -> None:
    """Raise ConvlabError for what is no design, such as a model of one."""
    if isinstance(design, Design):
        return
    if isinstance(getattr(design, "design", None), Design):
        found, help = f"a {type(design).__name__}", "export(model.design, weights=model, ...) writes a built model"
    else:
        found, help = quote(design), "convlab.load gives the design of a file or of a preset's name"
    raise ConvlabError(Problem("usage", f"a design is due, not {found}", help=help), exit_code=2)


def _refuse_unused(origin: Origin, target: Target, format: Format) -> None:
    """What a format has no place for is refused, not dropped."""
    if origin.weights is not None and not format.weights:
        with_weights = ", ".join(name for name, other in FORMATS.items() if other.weights)
        problem = Problem("usage", f"{format.name} holds no weights", help=f"formats with weights: {with_weights}")
        raise ConvlabError(problem, exit_code=2)
    if origin.ignore and origin.weights is None:
        problem = Problem("usage", "there are no weights to ignore a part of", help="give weights, or leave ignore out")
        raise ConvlabError(problem, exit_code=2)
    if origin.base and format.name != "toml":
        problem = Problem("usage", "only a TOML file has a base", help="leave the base out, or export to toml")
        raise ConvlabError(problem, exit_code=2)
    if origin.folded and not format.folds:
        folding = ", ".join(name for name, other in FORMATS.items() if other.folds)
        problem = Problem("usage", f"{format.name} holds the network as it is written", help=f"folded: {folding}")
        raise ConvlabError(problem, exit_code=2)
    if target.push and format.name != "hub":
        problem = Problem("usage", "only a folder for the hub is uploaded", help="leave push out, or export to hub")
        raise ConvlabError(problem, exit_code=2)
