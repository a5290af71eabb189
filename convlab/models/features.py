"""Backbones: a built design that gives the feature maps of chosen stages, for detection and segmentation on top of it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, final

import torch
from torch import Tensor, nn

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design, lower, stem_stride, strides
from convlab.layers import Chain, Shape
from convlab.models.builder import build
from convlab.models.containers import ConvNet


class FeatureMap(NamedTuple):
    """A feature map that can be had: the path of the module that gives it, its channels, its stride in input pixels."""

    path: str
    channels: int
    stride: int


@final
class FeatureMaps(nn.Module):
    """A built design cut off after the last of the chosen feature maps; its weights carry the names that they have in the whole model.

    ``paths``, ``channels`` and ``strides`` are lists that tell of each map, from fine to coarse. A class token is left
    out, and its neighbours are a map again.
    """

    def __init__(self, net: ConvNet, indices: Sequence[int] | None = None) -> None:
        super().__init__()
        design = net.design
        there = feature_maps(design)
        chosen = pyramid(design) if indices is None else sorted(set(from_the_first(indices, len(there))))
        self.design = design
        self.paths = [there[index].path for index in chosen]
        self.channels = [there[index].channels for index in chosen]
        self.strides = [there[index].stride for index in chosen]
        for name, part in up_to(net, self.paths[-1]).named_children():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """The feature maps of images [batch, channels, height, width] by path, such as "stages.2", from fine to coarse.

        Each is [batch, channels, height, width] with its own of ``channels``, and smaller than the images by its own of ``strides``.
        """
        image, maps = x, {}
        for path, module in steps(self, self.paths):
            x = module(x)
            if path in self.paths:
                maps[path] = as_map(x, self.design, image)
        return maps

    def extra_repr(self) -> str:
        return f"{self.design.name or self.design.key}: {', '.join(self.paths)}"


def features(
    design: Design,
    *,
    out_indices: Sequence[int] | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    channels_last: bool = True,
    initialized: bool = True,
    seed: int | None = None,
) -> FeatureMaps:
    """A backbone: the feature maps of a design's stages, by path, from an image batch.

    ``out_indices`` count stages, negative ones from the last; without them the last stage of each resolution is given. In a design of
    one stage they count its blocks. ``output_stride`` is the design's own knob. The other arguments are those of ``build``, with whose
    seed the weights are the same. Raises ConvlabError as ``build`` does, and for a stage that is not there.

    ``channels``, ``strides`` and ``paths`` of the backbone tell what follows it of the maps, as a feature pyramid needs it::

        backbone = features(load("convnext_t"))
        pyramid = torchvision.ops.FeaturePyramidNetwork(backbone.channels, 256)
        maps = pyramid(backbone(images))
    """
    net = build(design, device=device, dtype=dtype, channels_last=channels_last, initialized=initialized, seed=seed)
    return FeatureMaps(net, out_indices)


def feature_maps(design: Design) -> tuple[FeatureMap, ...]:
    """The maps that ``out_indices`` count: one a stage or, in a design of one stage, one a block."""
    reached, found = stem_stride(design.stem), []
    blocks = "blocks" if design.names == "facebookresearch" else "stages.0.blocks"
    for index, (stage, taken) in enumerate(zip(design.stages, strides(design), strict=True)):
        reached *= taken.stride
        found.append(FeatureMap(f"stages.{index}", stage.width, reached))
    if len(found) > 1:
        return tuple(found)
    return tuple(found[0]._replace(path=f"{blocks}.{index}") for index in range(design.stages[0].depth))


def pyramid(design: Design) -> list[int]:
    """The indices of the last map of each resolution; stages that are dilated instead of strided still count as a resolution."""
    if len(design.stages) == 1:
        return [design.stages[0].depth - 1]
    following = [stage.stride for stage in design.stages[1:]]
    return [index for index, stride in enumerate([*following, 2]) if stride > 1]


def steps(module: nn.Module, paths: Sequence[str], path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The modules to run one after the other, with their paths: as large as they can be without hiding one of ``paths``."""
    for name, child in module.named_children():
        inner = f"{path}.{name}" if path else name
        if any(other.startswith(inner + ".") for other in paths):
            yield from steps(child, paths, inner)
        else:
            yield inner, child


def up_to(module: nn.Module, path: str) -> nn.Module:
    """The module without what stands after a path; the modules before it are shared, not copied."""
    name, _, rest = path.partition(".")
    names = list(module._modules)
    kept = copy.copy(module)
    kept._modules = {before: module._modules[before] for before in names[: names.index(name) + 1]}
    if rest:
        kept._modules[name] = up_to(module.get_submodule(name), rest)
    return kept


def as_map(x: Tensor, design: Design, image: Tensor) -> Tensor:
    """A feature map; a column of tokens loses the class token and becomes the map of its pixels."""
    if not design.stem.class_token:
        return x
    return x[:, :, 1:].reshape(*x.shape[:2], *grid(design, Shape(*image.shape[1:])))


def grid(design: Design, image: Shape) -> tuple[int, int]:
    """Height and width of the map that becomes tokens, the last layer of the stem."""
    stem = lower(design).parts[0].tree
    assert isinstance(stem, Chain)
    patches = Chain(stem.children[:-1]).output(image)
    return patches.height, patches.width


def from_the_first(indices: Sequence[int], count: int) -> list[int]:
    """Indices counted from the first of ``count`` maps, negative ones as well. Raises ConvlabError for one that is not there."""
    _refuse_no_list(indices, count)
    if not indices:
        help = f"indices from {-count} to {count - 1}"
        raise ConvlabError(Problem("usage", "which feature map? none is chosen", help=help), exit_code=2)
    for index in indices:
        if not -count <= index < count:
            message = f"there is no feature map {index}: the design has {count}"
            raise ConvlabError(Problem("usage", message, help=f"indices from {-count} to {count - 1}"), exit_code=2)
    return [index % count for index in indices]


def _refuse_no_list(indices: object, count: int) -> None:
    if isinstance(indices, Iterable) and all(type(index) is int for index in indices):
        return
    message = f"out_indices is a list of numbers of stages, not {quote(indices)}"
    help = f"a list such as [{count - 1}], of indices from {-count} to {count - 1}"
    raise ConvlabError(Problem("usage", message, help=help), exit_code=2)
