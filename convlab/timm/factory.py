"""From timm's arguments to a model: what they say is turned in the design, then the design is built."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from convlab.language.design import Design
from convlab.language.turning import turn
from convlab.models.builder import build
from convlab.timm.model import TimmModel

_POOLS = {"avg": "average", "max": "max", "token": "token"}
"""timm's word for each pool of the language."""


def timm_model(
    cfg: Design,
    *,
    num_classes: int | None = None,
    in_chans: int | None = None,
    img_size: int | Sequence[int] | None = None,
    global_pool: str | None = None,
    drop_rate: float | None = None,
    drop_path_rate: float | None = None,
    output_stride: int | None = None,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> TimmModel:
    """The model of a design with timm's arguments put in; what is not given is as the design says.

    Raises ConvlabError, in the words of the knobs, where the design does not take an argument.
    """
    given = {
        "head.classes": num_classes,
        "image.channels": in_chans,
        "image.size": img_size if img_size is None or isinstance(img_size, int) else list(img_size),
        "head.dropout": drop_rate,
        "drop_path": drop_path_rate,
        "output_stride": output_stride,
        "head.pool": _POOLS.get(global_pool or ""),
    }
    design = cfg
    for path, value in given.items():
        if value is not None:
            design = turn(design, path, value)
    net = build(
        design,
        device=device or torch.get_default_device(),
        dtype=dtype or torch.get_default_dtype(),
        channels_last=False,
    )
    words = {word: name for name, word in _POOLS.items()}
    return TimmModel(net, words[design.head.pool] if global_pool is None else global_pool)
