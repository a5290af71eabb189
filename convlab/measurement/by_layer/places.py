"""Places: what each module of a network is, where it stands, and which of them are one row because they repeat each other."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from convlab.costs import Profile, profile
from convlab.measurement.running.workloads import Workload

BETWEEN = "between layers"
"""What containers do themselves: sums of branches, layer scale, drop path, reshaping."""


_ACTIVATION = re.compile(r"Activation|[GR]ELU|ReLU|SiLU|Swish")

_POOLS = {
    "AdaptiveAvgPool": "GlobalAveragePool",
    "AvgPool": "AveragePool",
    "AdaptiveMaxPool": "GlobalMaxPool",
    "MaxPool": "MaxPool",
}


@final
@dataclass(frozen=True, slots=True)
class Place:
    """What a module is. ``path`` is that of the first of those that repeat each other, as in the layer table.

    ``stride`` is how many pixels of the image lie between two positions of its output along an axis, 0 for a vector. ``macs`` are those
    of one image and one instance.
    """

    path: str
    kind: str
    stride: int
    macs: int


def places(workload: Workload) -> dict[str, Place]:
    """The place of every module by its path; modules inside a layer of the layer table (attention) have the place of that layer."""
    subject = workload.subject
    if subject.design is None:
        return _of_modules(workload)
    return _of_rows(workload.model, profile(subject.design, folded=subject.folded))


def _of_rows(model: nn.Module, costs: Profile) -> dict[str, Place]:
    own: dict[str, Place] = {}
    around: dict[str, Place] = {}
    for row in costs.rows:
        kind, stride = type(row.layer).__name__, _stride(costs.image.positions, row.output.positions)
        for path in row.paths:
            own[path] = Place(row.path, kind, stride, row.layer.macs(row.input))
            parts, first = path.split("."), row.path.split(".")
            for length in range(1, len(parts)):
                around.setdefault(".".join(parts[:length]), Place(".".join(first[:length]), BETWEEN, stride, 0))
    return {path: _nearest(path, own, around) for path, _ in model.named_modules()}


def _nearest(path: str, own: dict[str, Place], around: dict[str, Place]) -> Place:
    """The layer that a module is or lies in, or else the container that it is or belongs to."""
    parts = path.split(".")
    above = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    for found in (own, around):
        for candidate in above:
            if candidate in found:
                return found[candidate]
    return Place("", BETWEEN, 0, 0)


def _of_modules(workload: Workload) -> dict[str, Place]:
    """Of a network without a design: what a module is by its class, and where by the size of its output."""
    model = workload.model
    outputs, macs = _outputs(workload), _own_macs(workload)
    positions = 0
    by_likeness: dict[Any, str] = {}
    found: dict[str, Place] = {}
    inside: dict[str, str] = {}
    for path, module in model.named_modules():
        whole = next((folder for folder in inside if path.startswith(folder + ".")), None)
        if whole is not None:
            inside[path] = whole
            continue
        output = outputs.get(path)
        if output is not None:
            positions = _positions(module, output, len(workload.images))
        kind = _kind(module, positions)
        likeness = (re.sub(r"\d+", "*", path), kind, output, macs.get(path, 0))
        first = by_likeness.setdefault(likeness, path) if path else ""
        found[path] = Place(first, kind, _stride(workload.subject.image.positions, positions), macs.get(path, 0))
        if kind == "Attention":
            inside[path] = path
    return found | {path: found[whole] for path, whole in inside.items() if path != whole}


def _outputs(workload: Workload) -> dict[str, tuple[int, ...]]:
    """The shape that goes out of each module that runs."""
    shapes: dict[str, tuple[int, ...]] = {}

    def hook_of(path: str) -> Any:
        def hook(module: nn.Module, given: Any, output: Any) -> None:
            tensor = next((one for one in tree_leaves(output) if isinstance(one, Tensor)), None)
            if tensor is not None:
                shapes[path] = tuple(tensor.shape)

        return hook

    handles = [module.register_forward_hook(hook_of(path)) for path, module in workload.model.named_modules()]
    try:
        workload.run()
    finally:
        for handle in handles:
            handle.remove()
    return shapes


def _own_macs(workload: Workload) -> dict[str, int]:
    """Multiply-adds of one image in each module, those of modules inside it left out; attention as a whole."""
    counter: Any = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        workload.model(workload.images)
    root = type(workload.model).__name__
    totals = {
        name.removeprefix(root).removeprefix("."): sum(counts.values())
        for name, counts in counter.get_flop_counts().items()
        if name != "Global"
    }
    own = dict(totals)
    for path, flops in totals.items():
        parent = path.rpartition(".")[0]
        while parent and parent not in totals:
            parent = parent.rpartition(".")[0]
        if path and not _is_attention(workload.model.get_submodule(parent)):
            own[parent] = own.get(parent, 0) - flops
    return {path: flops // 2 // len(workload.images) for path, flops in own.items()}


def _is_attention(module: nn.Module) -> bool:
    return type(module).__name__.endswith("Attention") and any(True for _ in module.children())


def _kind(module: nn.Module, positions: int) -> str:
    """The word of the layer vocabulary for a module; its class where there is none."""
    name = type(module).__name__
    if isinstance(module, nn.Conv2d):
        if module.groups > 1 and module.groups == module.in_channels:
            return "Depthwise"
        return "Pointwise" if module.kernel_size == (1, 1) and module.stride == (1, 1) else "Convolution"
    if isinstance(module, nn.Linear):
        return "Pointwise" if positions > 1 else "Linear"
    for word in ("LayerNorm", "BatchNorm", "GroupNorm", "RMSNorm", "GlobalResponseNorm"):
        if word in name:
            return word
    if _is_attention(module):
        return "Attention"
    if any(True for _ in module.children()):
        return BETWEEN
    if type(module).__module__ == "torch.nn.modules.activation" or _ACTIVATION.search(name):
        return "Activation"
    return next((word for pattern, word in _POOLS.items() if re.match(pattern, name)), name)


def _positions(module: nn.Module, output: tuple[int, ...], batch: int) -> int:
    """Positions of a map for one image, whether its channels come first, or last as in linear layers; windows may lie in the batch."""
    last = isinstance(module, nn.Linear) or getattr(module, "normalized_shape", None) == output[-1:]
    channels_first = output[-1] == 1 or (len(output) == 4 and not last)
    return math.prod(output) // (output[1] if channels_first and len(output) > 1 else output[-1]) // batch


def _stride(image: int, positions: int) -> int:
    return 0 if positions <= 1 else round(math.sqrt(image / positions))
