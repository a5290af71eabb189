"""The verb: a design written in a format, checked, and told."""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import final

from convlab.errors import ConvlabError, Problem
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


def export(
    design: Design,
    *,
    to: str,
    path: str | os.PathLike[str] | None = None,
    weights: Weights = None,
    seed: int = 0,
    base: str = "",
    folded: bool = False,
    force: bool = False,
    push: str = "",
) -> Exported:
    """Write a design as "onnx", "torch-export", "safetensors", "hub", "toml" or "python", and check what was written.

    Without ``path`` it goes to the current folder, under the design's name. ``weights`` is a file, the name of published weights or
    a state dict; without them they are random, of ``seed``. ``base`` is what a TOML file inherits from; ``folded`` takes batch norms
    and parallel branches into convolutions first (graphs only); ``push`` is the repository of the Hugging Face hub ("user/name")
    that a folder is uploaded to. Nothing is overwritten without ``force``. Raises ConvlabError where the design is not valid,
    weights do not fit, a package is missing, or a check fails.
    """
    under_way = begin(Origin(design, weights, seed, base, folded), to=to, path=path, force=force, push=push)
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
    validated(origin.design)
    target = Target(format.usual_path(origin.design) if path is None else Path(path), force, push)
    _refuse_unused(origin, target, format)
    began = perf_counter()
    written = yield from format.write(origin, target)
    seconds = perf_counter() - began
    size = sum(file.stat().st_size for file in written.files)
    return Exported(origin, format, target.path, written.files, size, written.checks, written.random, seconds)


def _refuse_unused(origin: Origin, target: Target, format: Format) -> None:
    """What a format has no place for is refused, not dropped."""
    if origin.weights is not None and not format.weights:
        with_weights = ", ".join(name for name, other in FORMATS.items() if other.weights)
        problem = Problem("usage", f"{format.name} holds no weights", help=f"formats with weights: {with_weights}")
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
