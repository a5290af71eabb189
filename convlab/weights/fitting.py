"""Setting a checkpoint beside a network: what fits, what is missing, what is left over, and the refusal where it does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.language.design import Design
from convlab.weights.layouts import detect, naming, renewed
from convlab.weights.misfits import Misfits, refusal
from convlab.weights.report import Line, Report
from convlab.weights.tables import Names
from convlab.weights.transforms import TRANSFORMS, Transform


class Fit(NamedTuple):
    """A checkpoint that fits: the tensors by our paths, and what to tell of them."""

    tensors: dict[str, Tensor]
    report: Report


def fit(
    state: Mapping[str, Tensor],
    design: Design,
    weights: Mapping[str, Tensor],
    *,
    layout: str = "auto",
    ignore: Iterable[str] = (),
    source: str = "the checkpoint",
) -> Fit:
    """The tensors of a state dict for a network's ``weights``, in their shapes and number formats. Copies nothing into the network.

    Raises ConvlabError where a weight is missing or has another shape, or where a tensor is left over, except for what ``ignore``
    names: beginnings of our paths or of the checkpoint's names.
    """
    left = tuple([ignore] if isinstance(ignore, str) else ignore)
    chosen = detect(state, design, weights) if layout == "auto" else layout
    names = naming(design, chosen, weights)
    known = renewed(state, design, chosen)
    _check_ignored(left, [*weights, *known])
    tensors: dict[str, Tensor] = {}
    lines: dict[str, list[Line]] = {"loaded": [], "reshaped": [], "missing": [], "wrong": []}
    for path, ours in weights.items():
        line, pieces = _beside(path, ours, names[path], known)
        transform = TRANSFORMS[names[path].transform]
        if any(begins(path, start) for start in left) or not pieces:
            lines["missing"] += [line] * (
                not path.endswith("num_batches_tracked")
            )  # files older than PyTorch 1.0 lack it
        elif not _fits(ours, pieces, transform):
            lines["wrong"].append(line)
        else:
            lines["loaded"].append(line)
            lines["reshaped"] += [line] * (line.their_shapes != (line.shape,))
            tensors[path] = transform.ours(pieces, tuple(ours.shape)).to(ours.dtype)
    taken = {name for item in names.values() for name in item.names}
    extra = tuple(_extra(name, tensor) for name, tensor in known.items() if name not in taken)
    told = {kind: tuple(found) for kind, found in lines.items()}
    report = Report(told["loaded"], told["missing"], extra, told["reshaped"], source, chosen)
    lost = [line for line in report.missing if line.names and not any(begins(line.path, start) for start in left)]
    over = [line for line in extra if not any(begins(line.names[0], start) for start in left)]
    if lost or over or told["wrong"]:
        raise refusal(state, design, Misfits(lost, over, told["wrong"]), report)
    return Fit(tensors, report)


def begins(path: str, start: str) -> bool:
    """Whether a path begins with the parts of another."""
    return path == start or path.startswith(f"{start}.")


def _beside(path: str, ours: Tensor, names: Names, state: Mapping[str, Tensor]) -> tuple[Line, tuple[Tensor, ...]]:
    """One weight beside the tensors that hold it; none where one of them is not there."""
    there = tuple(state[name] for name in names.needed if name in state)
    complete = bool(names.names) and len(there) == len(names.needed)
    kinds = dict.fromkeys(_kind(piece) for piece in there)
    shapes = tuple(tuple(piece.shape) for piece in there)
    line = Line(path, names.needed, tuple(ours.shape), shapes, _kind(ours), ", ".join(kinds) or _kind(ours))
    return line, there if complete else ()


def _fits(ours: Tensor, pieces: Sequence[Tensor], transform: Transform) -> bool:
    """Whether the pieces have the shapes that the transform gives, or differ from ours only by sides of 1."""
    expected = transform.theirs(torch.empty_like(ours, device="meta"))
    if all(piece.shape == other.shape for piece, other in zip(pieces, expected, strict=False)):
        return True
    return not transform.moves and len(pieces) == 1 and _sides(pieces[0]) == _sides(ours)


def _sides(tensor: Tensor) -> list[int]:
    return [side for side in tensor.shape if side != 1]


def _kind(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _extra(name: str, tensor: Tensor) -> Line:
    return Line("", (name,), (), (tuple(tensor.shape),), _kind(tensor), _kind(tensor))


def _check_ignored(ignored: Sequence[str], names: Sequence[str]) -> None:
    for start in ignored:
        if not any(begins(name, start) for name in names):
            beginnings = list(dict.fromkeys(name.partition(".")[0] for name in names))
            help = f"{did_you_mean(start, beginnings)} weights begin with {', '.join(beginnings)}".strip()
            raise ConvlabError(Problem("usage", f"no weight begins with {quote(start)}", help=help), exit_code=2)
