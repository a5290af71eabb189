"""How the weights of a built model start: as the networks' authors published it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from convlab.models.containers import ResidualBlock
from convlab.modules import RMSNorm2d

DEVIATION = 0.02
DEVIATION_OF_CLASSIFIER = 0.01
"""Of RegNet's, in pycls and torchvision."""

NORMAL = ("class_token", "position_embedding", "relative_position_bias")
"""Parameters of attention and tokens that start with the same deviation, as in ViT, DeiT and Swin."""


class WithoutInitialization(TorchFunctionMode):
    """Lets modules be made without torch's own random initialisation, which would be thrown away: it costs most of a build."""

    SKIPPED = frozenset({nn.init.kaiming_uniform_, nn.init.uniform_})

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in self.SKIPPED:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


@torch.no_grad()
def initialize(model: nn.Module, kind: str, seed: int | None = None) -> None:
    """Fill the weights of a model: "truncated_normal" (ConvNeXt), "kaiming_normal" (ResNet), "regnet" (pycls) or "efficientnet".

    Norms start as torch's, with weight 1 and bias 0; biases of convolutions are 0. ConvNeXt draws from a normal distribution of
    deviation 0.02 truncated at +-2, a hundred deviations, so that the truncation never acts and a plain normal draw is the same.
    The others draw convolutions from Kaiming's normal distribution, and differ in the classifier, in whether groups count, and in
    ResNet's silent last norms.
    Each layer draws from a generator of its own, made from the seed (or from torch's global one) and its place, so that layers
    are filled by as many threads as torch has and the weights do not depend on how many these are.
    """
    modules = [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    modules = [module for module in modules if not module.weight.is_meta]
    bare = [found for name, found in model.named_parameters() if name.endswith(NORMAL) and not found.is_meta]
    start = int(torch.randint(2**62, (), device="cpu")) if seed is None else seed

    def generator(place: int, device: torch.device) -> torch.Generator:
        return torch.Generator(device).manual_seed(start * 1_000_003 + place & 2**63 - 1)

    def fill(place: int) -> None:
        _fill(modules[place], kind, generator(place, modules[place].weight.device))

    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        list(threads.map(fill, range(len(modules))))
    for place, parameter in enumerate(bare, len(modules)):
        parameter.normal_(0.0, DEVIATION, generator=generator(place, parameter.device))
    if kind == "kaiming_normal":
        _silence_branches(model)


@torch.no_grad()
def _fill(module: nn.Conv2d | nn.Linear, kind: str, generator: torch.Generator) -> None:
    if module.bias is not None:
        module.bias.zero_()
    if type(module) is nn.Linear and kind != "truncated_normal":
        _fill_classifier(module, kind, generator)
        return
    groups = kind == "efficientnet"
    deviation = DEVIATION if kind == "truncated_normal" else math.sqrt(2.0 / _fan_out(module, of_group=groups))
    module.weight.normal_(0.0, deviation, generator=generator)


def _fill_classifier(linear: nn.Linear, kind: str, generator: torch.Generator) -> None:
    """ResNet's classifier keeps torch's default, bounded by the inputs; EfficientNet's is bounded by the outputs."""
    if kind == "regnet":
        linear.weight.normal_(0.0, DEVIATION_OF_CLASSIFIER, generator=generator)
        return
    bound = 1.0 / math.sqrt(linear.out_features if kind == "efficientnet" else linear.in_features)
    linear.weight.uniform_(-bound, bound, generator=generator)
    if kind == "kaiming_normal" and linear.bias is not None:
        linear.bias.uniform_(-bound, bound, generator=generator)


def _fan_out(module: nn.Conv2d | nn.Linear, *, of_group: bool) -> int:
    """Outputs times taps (He et al., 2015, arXiv:1502.01852), of one group or, as in the authors' ResNeXt and RegNet, of all."""
    if isinstance(module, nn.Linear):
        return module.out_features
    outputs = module.out_channels // module.groups if of_group else module.out_channels
    return outputs * module.kernel_size[0] * module.kernel_size[1]


def _silence_branches(model: nn.Module) -> None:
    """The last norm of each residual branch starts at 0 (Goyal et al., 2017, arXiv:1706.02677)."""
    for block in model.modules():
        if isinstance(block, ResidualBlock) and block.branch:
            last = block.get_submodule(block.branch[-1])
            if isinstance(last, nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm | RMSNorm2d):
                nn.init.zeros_(last.weight)
