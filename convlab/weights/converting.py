"""Converting checkpoints: from any layout to any other, by way of our names, without a bit changed."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import torch
from torch import Tensor

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.language.files import write_whole
from convlab.weights.fitting import Fit, fit
from convlab.weights.given import given
from convlab.weights.layouts import from_convlab, naming, paths_of
from convlab.weights.packing import packed
from convlab.weights.provenance import provenance

PICKLED: Final = (".pth", ".pt", ".bin")
WRAPPED: Final = ("facebookresearch", "fcmae")
"""The layouts whose programs look for the state dict under "model" in a pickled file."""


class Converted(NamedTuple):
    """A state dict in another layout; ``left_out`` are our paths of which the layout's files hold nothing."""

    tensors: dict[str, Tensor]
    source_layout: str
    layout: str
    left_out: tuple[str, ...]


def to_convlab(
    state: Mapping[str, Tensor], design: Design, layout: str = "auto", *, ignore: Iterable[str] = ()
) -> dict[str, Tensor]:
    """The tensors of a state dict by our paths and in our shapes. Raises ConvlabError where they are not a design's."""
    return fit(state, design, paths_of(design), layout=layout, ignore=ignore).tensors


def convert(
    source: str | os.PathLike[str], design: Design, to: str, *, layout: str = "auto", ignore: Iterable[str] = ()
) -> Converted:
    """A design's weights, read from a file or by a published name, in the layout ``to``; ``layout`` is the source's.

    Number formats stay. Raises ConvlabError where the source does not fit the design, or a layout cannot hold it.
    """
    weights = paths_of(design)
    names = naming(design, to, weights)
    found: Fit = fit(given(source), design, weights, layout=layout, ignore=ignore, source=os.fspath(source))
    left_out = tuple(path for path in found.tensors if not names[path].names)
    return Converted(from_convlab(found.tensors, design, to), found.report.layout, to, left_out)


def write(
    tensors: Mapping[str, Tensor], path: str | os.PathLike[str], *, design: Design, layout: str, folded: bool = False
) -> None:
    """Write weights whole or not at all: safetensors, or a PyTorch checkpoint where the name ends in .pth, .pt or .bin.

    The metadata of a safetensors file says whose weights they are, and whether those of the ``folded`` network.
    Raises ConvlabError where the file cannot be written.
    """
    target = Path(path)
    refuse_other_name(target)
    if target.suffix in PICKLED:
        buffer = io.BytesIO()
        torch.save({"model": dict(tensors)} if layout in WRAPPED else dict(tensors), buffer)
        return write_whole(target, buffer.getvalue())
    return write_whole(target, packed(tensors, provenance(design, layout, folded)))


def refuse_other_name(target: Path) -> None:
    """Raise ConvlabError for a file whose name is not that of a checkpoint."""
    if target.suffix not in (".safetensors", *PICKLED):
        help = f"a name that ends in .safetensors, or {', '.join(PICKLED)} for a PyTorch checkpoint"
        raise ConvlabError(Problem("usage", f"{quote(str(target))} is no name of a checkpoint", help=help), exit_code=2)
