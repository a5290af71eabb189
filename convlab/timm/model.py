"""A built design as a model of timm's: the methods and attributes that timm's scripts, optimizers and wrappers rely on."""

# Annotations are not postponed here: torch.fx writes those of forward, as they stand, into the code that it makes.
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import HEAD_NAMES
from convlab.language.writing import text_in_full
from convlab.models.containers import ConvNet
from convlab.models.features import as_map, from_the_first, steps, up_to
from convlab.models.initialization import initialize
from convlab.timm.checkpointing import checkpointed, rerun
from convlab.timm.grouping import group_matcher, without_decay
from convlab.timm.head import Head, linear, pool_of, reformed, widening, wider_than_head
from convlab.timm.layouts import as_column, as_tokens
from convlab.timm.outline import ends, feature_info, last_map, trunk


@final
class TimmModel(nn.Module):
    """A network with timm's model contract; its submodule paths, and the names and order of its weights, are convlab's.

    ``forward_features`` is everything before the pool, ``forward_head`` the rest. Between them stands a map [batch, channels, height,
    width] or, with a class token, tokens [batch, tokens, channels], of which ``forward_intermediates`` gives the map of the pixels.
    """

    __constants__ = ("has_token", "nested")
    __jit_unused_properties__ = ("_model_args",)

    def __init__(self, net: ConvNet, global_pool: str) -> None:
        super().__init__()
        design = net.design
        self.design = design
        self.ends = ends(design)
        self.classifier_path = self.ends.classifier
        self.trunk_names = list(trunk(design))
        self.nested = "." in self.ends.pool
        self.has_token = design.stem.class_token
        for name, part in net.named_children():
            self.add_module(name, self._adopted(name, part))
        self.in_chans = design.image.channels
        self.num_classes = design.head.classes
        self.num_features = last_map(design).channels
        self.drop_rate = design.head.dropout
        self.feature_info = feature_info(design)
        self.grad_checkpointing = False
        self._arguments = dict[str, Any]()
        self._set_pool(global_pool)
        if self.num_classes == 0 or self.get_classifier().in_features != self.head_hidden_size:
            self._set_classifier(self.num_classes)

    def _adopted(self, name: str, part: nn.Module) -> nn.Module:
        """A part of the network in the container that timm's wrappers take apart."""
        if isinstance(part, nn.ModuleList):
            return nn.Sequential(OrderedDict(part.named_children()))
        if self.nested and name not in self.trunk_names:
            return Head(dict(part.named_children()), self.classifier_path.rpartition(".")[2])
        return part

    def forward_features(self, x: Tensor) -> Tensor:
        """The last feature map, before the pool, or the tokens."""
        if self.grad_checkpointing and not torch.jit.is_scripting():  # type: ignore[attr-defined]
            x = checkpointed(self, self.trunk_names, x)
        else:
            for name, part in self.named_children():
                if name in self.trunk_names:
                    x = part(x)
        return as_tokens(x) if self.has_token else x

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Class scores from the last feature map or the tokens; with ``pre_logits`` what the classifier gets."""
        if self.has_token:
            x = as_column(x)
        if self.nested:
            x = self.head(x, pre_logits)  # type: ignore[operator]
        else:
            for name, part in self.named_children():
                if name not in self.trunk_names and not (pre_logits and name == self.classifier_path):
                    x = part(x)
        return as_tokens(x) if self.has_token and not self.pooled else x

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> list[Tensor] | tuple[Tensor, list[Tensor]]:
        """The last feature map, and those of ``feature_info`` that ``indices`` choose: these, the last so many, or all.

        ``norm`` normalises the maps that the norm before the pool fits; ``stop_early`` runs nothing after the last one chosen.
        """
        if output_fmt != "NCHW":
            problem = Problem("usage", f"maps are NCHW, not {quote(output_fmt)}", help='output_fmt = "NCHW"')
            raise ConvlabError(problem, exit_code=2)
        chosen = self._chosen(indices)
        paths = [info["module"] for info in self.feature_info]
        image, found = x, {}
        for path, module in steps(self, paths):
            if path.split(".")[0] not in self.trunk_names:
                break
            x = rerun(path, module, x) if self.grad_checkpointing else module(x)
            if path in paths and paths.index(path) in chosen:
                index = paths.index(path)
                found[index] = as_map(self._normed(x, index) if norm else x, self.design, image)
                if (stop_early or intermediates_only) and index == max(chosen):
                    break
        intermediates = [found[index] for index in sorted(found)]
        if intermediates_only:
            return intermediates
        return as_tokens(x) if self.has_token else x, intermediates

    def _chosen(self, indices: int | Sequence[int] | None) -> list[int]:
        """The feature maps that are meant, counted from the first: all, the last so many, or those of a list."""
        count = len(self.feature_info)
        if indices is None or isinstance(indices, int):
            return from_the_first(range(-(count if indices is None else indices), 0), count)
        return from_the_first(indices, count)

    def _normed(self, x: Tensor, index: int) -> Tensor:
        """A map after the norm before the pool, where that follows the stages at once and the map is one that it knows."""
        norm = HEAD_NAMES[self.design.names]["norm_before"]
        fits = len(self.design.stages) == 1 or index == len(self.feature_info) - 1
        if norm not in self.trunk_names or self.design.head.convolution or not fits:
            return x
        normed: Tensor = self.get_submodule(norm)(x)
        return normed

    def prune_intermediate_layers(
        self, indices: int | Sequence[int] = 1, prune_norm: bool = False, prune_head: bool = True
    ) -> list[int]:
        """Take away what the chosen feature maps do not need, and say which they are, counted from the first."""
        chosen = self._chosen(indices)
        last = max(chosen)
        ends_early = last < len(self.feature_info) - 1
        width = self.num_features
        if prune_norm or ends_early or (prune_head and self.design.head.convolution):
            self._end_at(self.feature_info[last]["module"])
            width = self.feature_info[last]["num_chs"]
        if prune_head or ends_early or width != self.num_features:
            self.num_features = width
            self._bare_head()
            self.reset_classifier(0, "")
        return chosen

    def get_classifier(self) -> Any:
        """The classifier, or an identity where there is none."""
        return self.get_submodule(self.classifier_path)

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Put a new classifier in the place of the old one, none for 0 classes, and another pool; "" leaves the map as it is."""
        if global_pool is not None:
            self._set_pool(global_pool)
        self._set_classifier(num_classes)

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Keep only what goes into each block for the backward pass, which runs the blocks once more."""
        self.grad_checkpointing = enable

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """The patterns by which timm groups parameters: stem, blocks (``coarse``: stages) in order, and the head as what is left."""
        return group_matcher(self.design, self.trunk_names, coarse)

    def no_weight_decay(self) -> set[str]:
        """The parameters of several dimensions that are added to maps or logits, and are not decayed."""
        return without_decay(self)

    @property
    def _model_args(self) -> dict[str, Any]:
        """The arguments that make the model once more, as timm writes them for the hub."""
        return self._arguments

    @_model_args.setter
    def _model_args(self, arguments: dict[str, Any]) -> None:
        self._arguments = dict(arguments)
        if "design" in arguments:  # its text needs no file
            self._arguments["design"] = text_in_full(self.design)
            self._arguments.pop("sets", None)

    def _set_pool(self, kind: str) -> None:
        """Another pool, and the layers after it for vectors or for maps; their weights stay."""
        modules = dict(self.named_modules())
        hidden = modules.get(self.ends.hidden)
        has_norm = self.ends.norm in modules and self.ends.norm not in self.trunk_names
        if widening(kind) != 1 and (hidden is not None or has_norm):
            raise wider_than_head(kind)
        self._put(self.ends.pool, pool_of(kind, self.has_token))
        self.pooled = kind != ""
        self._put(self.ends.flatten, nn.Flatten(1) if self.pooled else nn.Identity())
        for path in (self.ends.hidden, self.classifier_path):
            layer = modules.get(path)
            if isinstance(layer, nn.Linear):
                self._put(path, reformed(layer, self.pooled))
        self.head_hidden_size = self.num_features * widening(kind) if hidden is None else self.design.head.hidden

    def _set_classifier(self, classes: int) -> None:
        """A new classifier, its weights drawn as the design says."""
        self.num_classes = classes
        if classes == 0:
            self._put(self.classifier_path, nn.Identity())
            return
        like = next(self.parameters())
        made = linear(self.head_hidden_size, classes, bias=self.design.head.bias, like=like, pooled=self.pooled)
        initialize(made, self.design.initialization)
        self._put(self.classifier_path, made)

    def _put(self, path: str, module: nn.Module) -> None:
        self.set_submodule(path, module.train(self.training))

    def _end_at(self, path: str) -> None:
        """Take away what of the trunk stands after a path."""
        kept = up_to(self, path)._modules
        for name in self.trunk_names:
            if name in kept:
                self.add_module(name, kept[name])
            else:
                delattr(self, name)
        self.trunk_names = [name for name in self.trunk_names if name in kept]

    def _bare_head(self) -> None:
        """Leave of the head only what has no width: norm and hidden layer go."""
        holder: nn.Module = self.head if self.nested else self  # type: ignore[assignment]
        kept = {self.ends.pool, self.ends.flatten, self.ends.dropout, self.classifier_path}
        names = {path.rpartition(".")[2] for path in kept}.union(() if self.nested else self.trunk_names)
        for name in [name for name, _ in holder.named_children() if name not in names]:
            delattr(holder, name)

    def extra_repr(self) -> str:
        return self.design.name or self.design.key
