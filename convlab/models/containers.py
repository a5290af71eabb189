"""The modules that combinators become. Their children stand under the names of the layer tree, so that paths are checkpoint keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor, nn

from convlab.language.design import Design
from convlab.modules.activations import is_spare, is_spare_in_training, is_traced

NamedModules = dict[str, nn.Module]


@final
class ConvNet(nn.Module):
    """A built design: the stem, the stages and the head, run in order; ``design`` says what it is, ``folded`` whether it was folded."""

    def __init__(self, design: Design, parts: list[tuple[str, nn.Module]], feature_parts: int) -> None:
        super().__init__()
        self.design = design
        self.folded = False
        self.feature_parts = feature_parts
        for path, part in parts:
            folder, _, name = path.rpartition(".")
            if not folder:
                self.add_module(name, part)
                continue
            if folder not in self._modules:
                self.add_module(folder, nn.ModuleList())
            self.get_submodule(folder).add_module(name, part)

    def parts(self) -> Iterator[nn.Module]:
        """The parts in order of execution: lists of stages are run stage by stage."""
        for child in self.children():
            if isinstance(child, nn.ModuleList):
                yield from child
            else:
                yield child

    def forward_features(self, x: Tensor) -> Tensor:
        """The last feature map, before the head."""
        for part in list(self.parts())[: self.feature_parts]:
            x = part(x)
        return x

    def forward_head(self, x: Tensor) -> Tensor:
        """Class scores from the last feature map."""
        for part in list(self.parts())[self.feature_parts :]:
            x = part(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts():
            x = part(x)
        return x

    def extra_repr(self) -> str:
        design = self.design
        kinds = ", ".join(dict.fromkeys(stage.block.kind for stage in design.stages))
        form = "; folded" if self.folded else ""
        return f"{design.name or design.key}: {kinds}; depths {list(design.depths)}, widths {list(design.widths)}{form}"


@final
class ResidualBlock(nn.ModuleDict):
    """``x + f(x)``: the branch's modules stand at the block's own path, beside its shortcut, layer scale and drop path.

    The sum takes the place of the branch's output where that is a map of its own (``gives_own_map``); in training only where neither
    autograd (``keeps_output``) nor the layer scale need it any more.
    TorchScript runs through the items of a dict of modules, not through modules that are looked up by name.
    """

    def __init__(
        self,
        branch: NamedModules,
        gamma: Tensor | None,
        shortcut: nn.Module | None,
        drop_path: nn.Module | None,
        after: NamedModules,
    ) -> None:
        super().__init__()
        self.branch = tuple(branch)
        self.gives_own_map = False
        self.keeps_output = True
        self.turns = {"drop_path": 1, "shortcut": 1} | dict.fromkeys(branch, 0) | dict.fromkeys(after, 2)
        self.label = ""
        self.gamma: nn.Parameter | None
        self.register_parameter("gamma", None if gamma is None else nn.Parameter(gamma))
        for name, module in branch.items():
            self.add_module(name, module)
        self.drop_path = drop_path
        self.shortcut = shortcut
        for name, module in after.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for name, module in self.items():
            if self.turns[name] == 0:
                y = module(y)
        if self.drop_path is not None:
            y = self.drop_path(y)
        y = self.sum(x if self.shortcut is None else self.shortcut(x), y)
        for name, module in self.items():
            if self.turns[name] == 2:
                y = module(y)
        return y

    def sum(self, x: Tensor, y: Tensor) -> Tensor:
        """The shortcut and the scaled branch, in one pass where their dtypes are known to be equal, as those of autocast are not."""
        gamma = self.gamma
        if gamma is None:
            if is_traced(x) or not self.gives_own_map or x.dtype != y.dtype:
                return y + x
            here = is_spare(y) if self.keeps_output else is_spare_in_training(y)
            return y.add_(x) if here else y + x
        factors = gamma.view(1, -1, 1, 1)
        if is_traced(x) or x.dtype != y.dtype or x.dtype != factors.dtype:
            return y * factors + x
        if self.gives_own_map and is_spare(y):
            return torch.addcmul(x, y, factors, out=y)
        return torch.addcmul(x, y, factors)

    def extra_repr(self) -> str:
        return self.label


@final
class ChannelGate(nn.Sequential):
    """``x * f(x)`` with one factor a channel."""

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for module in self:
            y = module(y)
        return x * y


@final
class ParallelSum(nn.Sequential):
    """The sum of branches that see the same input."""

    def forward(self, x: Tensor) -> Tensor:
        total = x
        for index, branch in enumerate(self):
            total = branch(x) if index == 0 else torch.add(total, branch(x))
        return total


@final
class ChannelSplit(nn.Sequential):
    """Branches that each see an equal share of the channels; what comes out of them is put side by side."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, x: Tensor) -> Tensor:
        shares = x.chunk(self.count, 1)
        outputs: list[Tensor] = []
        for index, branch in enumerate(self):
            outputs.append(branch(shares[index]))
        return torch.cat(outputs, 1)
