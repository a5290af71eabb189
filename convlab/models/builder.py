"""Building: from a design's layer tree to a torch model whose submodule paths are the layer paths."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple, TypeVar

import torch
from torch import nn

from convlab.costs import cost
from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design, Network, lower
from convlab.language.validation import validated
from convlab.layers import Activation, Chain, Gate, Layer, Parallel, Repeat, Residual, Shape, Split
from convlab.layers.saving import saved
from convlab.layers.tree import is_in_place
from convlab.models.containers import ChannelGate, ChannelSplit, ConvNet, NamedModules, ParallelSum, ResidualBlock
from convlab.models.initialization import WithoutInitialization, initialize
from convlab.models.memory import refuse_too_big
from convlab.modules import DropPath

Container = TypeVar("Container", bound=nn.Module)


class _Block(NamedTuple):
    """What a block knows beside its layers: its rate of drop path and how it is called."""

    drop_path: float = 0.0
    label: str = ""


def build(
    design: Design,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    channels_last: bool = True,
    initialized: bool = True,
    seed: int | None = None,
) -> ConvNet:
    """A torch model of a design, in training mode.

    Its submodule paths are the layer paths, its state dict's keys and shapes timm's for the ConvNeXt families. ``initialized=False``
    leaves the weights as they come from memory, for a checkpoint to fill. Raises ConvlabError where the design is not valid, the
    device is not there, or the memory does not hold the weights and one image's activations.
    """
    validated(design)
    place = available(device)
    if not getattr(dtype, "is_floating_point", False):
        help = "dtypes: torch.float32, torch.bfloat16, torch.float16, torch.float64"
        raise ConvlabError(Problem("usage", f"weights cannot be {quote(str(dtype))}", help=help), exit_code=2)
    network = lower(design)
    profile = cost(design, network, design.image.shape)
    refuse_too_big(profile, place, dtype)
    model = assembled(design, network, place)
    if initialized:
        initialize(model, design.initialization, seed)
    if channels_last:
        return model.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
    return model.to(dtype=dtype)


def assembled(design: Design, network: Network, device: torch.device) -> ConvNet:
    """The model of a lowered design, in float32, its weights as they come from memory."""
    kinds = _blocks(design)
    x = design.image.shape
    parts: list[tuple[str, nn.Module]] = []
    with nullcontext() if torch.get_default_device() == device else device, WithoutInitialization():
        for part in network.parts:
            blocks = part.path.startswith("stages.") or part.path == "blocks"
            parts.append((part.path, _stage(part.tree, x, kinds) if blocks else _module(part.tree, x, _Block())))
            x = part.tree.output(x)
    return ConvNet(design, parts, sum(not part.head for part in network.parts))


def available(device: str | torch.device) -> torch.device:
    """The device of a name ("auto" takes the best one there). Raises ConvlabError where it is not there."""
    there = ["cpu"]
    if torch.cuda.is_available():
        there.insert(0, "cuda")
    if torch.backends.mps.is_available():
        there.insert(0, "mps")
    if device == "auto":
        return torch.device(there[0])
    try:
        place = torch.device(device)
    except RuntimeError:
        place = None
    if place is not None and (place.type in there or place.type == "meta"):
        count = torch.cuda.device_count() if place.type == "cuda" else 1
        if (place.index or 0) < count:
            return place
    raise _no_device(device, there)


def _no_device(device: Any, there: list[str]) -> ConvlabError:
    problem = Problem(
        "usage", f"there is no device {quote(str(device))} here", help=f"devices: {', '.join(there)}, auto"
    )
    return ConvlabError(problem, exit_code=2)


def _blocks(design: Design) -> Iterator[_Block]:
    """What every block of the design knows, in order: drop path rises from 0 in the first to the design's rate in the last."""
    last = max(1, sum(design.depths) - 1)
    index = 0
    for stage in design.stages:
        for _ in range(stage.depth):
            yield _Block(design.drop_path * index / last, stage.block.kind)
            index += 1


def _stage(tree: Layer, x: Shape, kinds: Iterator[_Block]) -> nn.Module:
    """A stage, or the blocks of an isotropic design; every block takes the next of ``kinds``."""
    assert isinstance(tree, Chain)
    modules: NamedModules = {}
    for name, child in tree.children:
        if name == "blocks":
            modules[name] = _stage(child, x, kinds)
        elif name == "downsample":
            modules[name] = _module(child, x, _Block())
        elif isinstance(child, Repeat):
            for first in range(int(name), int(name) + child.count * child.period, child.period):
                for turn, block in child.turns():
                    modules[str(first + int(turn))] = _module(block, x, next(kinds))
        else:
            modules[name] = _module(child, x, next(kinds))
        x = child.output(x)
    return _sequence(modules)


def _module(tree: Layer, x: Shape, block: _Block) -> nn.Module:
    match tree:
        case Chain():
            return _sequence(_children(tree, x, block))
        case Residual():
            return _residual(tree, x, block)
        case Gate():
            return _filled(ChannelGate(), _children(tree.branch, x, block))
        case Parallel():
            return _filled(ParallelSum(), {name: _module(child, x, block) for name, child in tree.children})
        case Split():
            seen = tree.share(x)
            return _filled(
                ChannelSplit(len(tree.children)), {name: _module(child, seen, block) for name, child in tree.children}
            )
        case _:
            return tree.module(x)


def _residual(tree: Residual, x: Shape, block: _Block) -> ResidualBlock:
    y = tree.branch.output(x)
    module = ResidualBlock(
        _children(tree.branch, x, block),
        None if tree.scale is None else torch.full((y.channels,), tree.scale.initial),
        None if tree.shortcut is None else _module(tree.shortcut, x, block),
        DropPath(block.drop_path) if block.drop_path else None,
        {} if tree.after is None else _children(tree.after, y, block, before=tree),
    )
    module.label = block.label
    module.gives_own_map = tree.branch.gives_own_map()
    module.keeps_output = bool(saved(tree.branch, x).output)
    return module


def _children(tree: Chain, x: Shape, block: _Block, before: Layer | None = None) -> NamedModules:
    """The modules of a chain; ``before`` is the layer, if any, whose output its first child may write over."""
    modules: NamedModules = {}
    kept = 0  # whether autograd keeps what came out of the layer before
    for name, child in tree.children:
        if isinstance(child, Activation) and is_in_place(before, child):
            modules[name] = child.module_in_place(bool(kept))
        else:
            modules[name] = _module(child, x, block)
        kept = saved(child, x).output
        x = child.output(x)
        before = child
    return modules


def _sequence(modules: NamedModules) -> nn.Sequential:
    return _filled(nn.Sequential(), modules)


def _filled(container: Container, modules: NamedModules) -> Container:
    for name, module in modules.items():
        container.add_module(name, module)
    return container
