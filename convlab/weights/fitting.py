"""Setting a checkpoint beside a network: what fits, what is missing, what is left over, and the refusal where it does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

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
    """The tensors of a state dict for a network's ``weights``, in their shapes. Copies nothing into the network.

    Raises ConvlabError where a weight is missing or has another shape, or where a tensor is left over, except for what ``ignore``
    names: beginnings of our paths or of the checkpoint's names.
    """
    ignored = tuple([ignore] if isinstance(ignore, str) else ignore)
    chosen = detect(state, design, weights) if layout == "auto" else layout
    names = naming(design, chosen, weights)
    known = renewed(state, design, chosen)
    _check_ignored(ignored, [*weights, *known])
    found = [_match(path, ours, names[path], known) for path, ours in weights.items()]
    taken = {name for item in names.values() for name in item.names}
    extra = tuple(_extra(name, tensor) for name, tensor in known.items() if name not in taken)
    left = {match.line.path for match in found if _is_ignored(match.line.path, ignored)}
    loaded = [match for match in found if match.kind == "fits" and match.line.path not in left]
    report = Report(
        loaded=tuple(match.line for match in loaded),
        missing=tuple(
            match.line for match in found if match.kind in ("missing", "left out") and match.line.path not in left
        ),
        unexpected=tuple(line for line in extra if not _is_ignored(line.names[0], ignored)),
        reshaped=tuple(match.line for match in loaded if match.line.their_shapes != (match.line.shape,)),
        source=source,
        layout=chosen,
        ignored=(
            *(match.line for match in found if match.line.path in left),
            *(line for line in extra if _is_ignored(line.names[0], ignored)),
        ),
    )
    misfits = Misfits(
        missing=[match.line for match in found if match.kind == "missing" and match.line.path not in left],
        left_over=report.unexpected,
        misshapen=[match.line for match in found if match.kind == "misshapen" and match.line.path not in left],
    )
    if any(misfits):
        raise refusal(state, design, misfits, report)
    return Fit({match.line.path: match.tensor for match in loaded if match.tensor is not None}, report)


class Match(NamedTuple):
    """One weight of ours beside what the checkpoint has for it; ``tensor`` where that fits."""

    kind: Literal["fits", "misshapen", "missing", "left out", "counter"]
    line: Line
    tensor: Tensor | None = None


def _match(path: str, ours: Tensor, names: Names, state: Mapping[str, Tensor]) -> Match:
    pieces = tuple(state[name] for name in names.needed if name in state)
    kinds = ", ".join(dict.fromkeys(map(_kind, pieces))) or _kind(ours)
    shapes = tuple(tuple(piece.shape) for piece in pieces)
    line = Line(path, names.needed, tuple(ours.shape), shapes, _kind(ours), kinds)
    if not names.names:
        return Match("left out", line)
    if len(pieces) < len(names.needed):
        # BatchNorm counts its batches since PyTorch 0.4; nothing is computed from the count.
        return Match("counter" if path.endswith("num_batches_tracked") else "missing", line)
    transform = TRANSFORMS[names.transform]
    if not _fits(ours, pieces, transform):
        return Match("misshapen", line)
    return Match("fits", line, transform.ours(pieces, tuple(ours.shape)))


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


def _is_ignored(name: str, ignored: Sequence[str]) -> bool:
    return any(name == start or name.startswith(f"{start}.") for start in ignored)


def _check_ignored(ignored: Sequence[str], names: Sequence[str]) -> None:
    for start in ignored:
        if not any(_is_ignored(name, [start]) for name in names):
            beginnings = list(dict.fromkeys(name.partition(".")[0] for name in names))
            help = f"{did_you_mean(start, beginnings)} weights begin with {', '.join(beginnings)}".strip()
            raise ConvlabError(Problem("usage", f"no weight begins with {quote(start)}", help=help), exit_code=2)
