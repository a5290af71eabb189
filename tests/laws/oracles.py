"""Exact oracles: what torch itself says of a built model."""

from functools import cache
from typing import NamedTuple

import torch
from designs import swept
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from torch.utils.flop_counter import FlopCounterMode

from convlab import build, fold


@cache
def on_meta(design):
    """A design built without memory, in evaluation mode."""
    return build(design, device="meta", initialized=False).eval()


@cache
def on_cpu(name):
    """A design of the sweep, built with random weights, in evaluation mode."""
    return build(swept(name), seed=0).eval()


@cache
def folded_on_cpu(name):
    """A design of the sweep, built and folded."""
    return fold(on_cpu(name))


def image_of(design, batch=1, **options):
    """A random image for a design, channels-last in memory as its model is."""
    shape = design.image.shape
    image = (
        torch.randn(batch, *shape, **options)
        if options.get("device") != "meta"
        else torch.empty(batch, *shape, **options)
    )
    return image.to(memory_format=torch.channels_last)


class Pass(NamedTuple):
    """What torch sees of a forward pass: modules with what they get and give, in the order in which they end, and operations."""

    seen: list[tuple[str, tuple[int, ...], tuple[int, ...]]]
    output: tuple[int, ...]
    flops: int
    flops_by_path: dict[str, int]


BATCH = 2
"""Images of an observed forward pass."""


def observed(model, image):
    """A forward pass of a model, its modules watched and its operations counted."""
    seen = []

    def hook_of(path):
        def hook(module, inputs, output):
            seen.append((path, tuple(inputs[0].shape), tuple(output.shape)))

        return hook

    hooks = [module.register_forward_hook(hook_of(path)) for path, module in model.named_modules()]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = model(image)
    for hook in hooks:
        hook.remove()
    counts = {path.removeprefix("ConvNet."): sum(each.values()) for path, each in counter.get_flop_counts().items()}
    return Pass(seen, tuple(output.shape), counter.get_total_flops(), counts)


@cache
def observed_without_memory(design):
    """A forward pass of a design that is too large to be run at once."""
    return observed(on_meta(design), image_of(design, BATCH, device="meta"))


@cache
def observed_sweep(name):
    """A forward pass of a design of the sweep, in memory: without it torch's operations are written in Python, which takes longer."""
    return observed(on_cpu(name), image_of(swept(name), BATCH))


def observed_design(design):
    """A forward pass of any small design."""
    return observed(build(design, initialized=False).eval(), image_of(design, BATCH))


class StorageLiveness(TorchDispatchMode):
    """The most elements that live at once in storages: those given at the start and all that operations return later."""

    def __init__(self, model: nn.Module, *given: torch.Tensor) -> None:
        super().__init__()
        constants = [*model.parameters(), *model.buffers()]
        self.known = {tensor.untyped_storage()._cdata for tensor in constants}
        self.live: list[tuple[StorageWeakRef, int]] = []
        self.peak = 0
        self.at = ""
        for tensor in given:
            self.add(tensor)

    def add(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in self.known:
            return
        if any(one.cdata == storage._cdata for one, _ in self.live):
            return
        self.live.append((StorageWeakRef(storage), storage.nbytes() // 4))

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.live = [(one, size) for one, size in self.live if not one.expired()]
        for tensor in tree_iter(result):
            if isinstance(tensor, torch.Tensor):
                self.add(tensor)
        total = sum(size for _, size in self.live)
        if total > self.peak:
            self.peak, self.at = total, str(func)
        return result


def peak_elements(model: nn.Module, image: torch.Tensor) -> StorageLiveness:
    """The most elements of activations that live at once while a model runs on an image, the image included."""
    with torch.no_grad(), StorageLiveness(model, image) as watched:
        model(image)
    return watched
