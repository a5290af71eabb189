"""The head under timm's model contract: a pool of timm's kinds or none, and a classifier that comes and goes."""

from __future__ import annotations

from typing import final

from timm.layers import SelectAdaptivePool2d  # type: ignore[attr-defined]  # it does not say what it exports
from torch import Tensor, nn

from convlab.errors import ConvlabError, Problem, quote
from convlab.models.containers import NamedModules
from convlab.modules import FirstToken2d, PointwiseLinear

POOLS = ("avg", "max", "avgmax", "catavgmax", "token", "")


@final
class Head(nn.ModuleDict):
    """The layers from the pool to the classifier, under their names; ``pre_logits`` leaves out the classifier."""

    def __init__(self, layers: NamedModules, classifier: str) -> None:
        super().__init__(layers)
        self.classifier = classifier

    def forward(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        for name, layer in self.items():
            if not (pre_logits and name == self.classifier):
                x = layer(x)
        return x


def pool_of(kind: str, has_class_token: bool) -> nn.Module:
    """The global pool of a kind of timm's; '' is none. Raises ConvlabError for others, and for a token that is not there."""
    if kind not in POOLS or (kind == "token" and not has_class_token):
        message = "there is no class token to take" if kind == "token" else f"there is no global pool {quote(kind)}"
        kinds = ", ".join(quote(other) for other in POOLS if has_class_token or other != "token")
        raise ConvlabError(Problem("usage", message, help=f'global_pool is one of {kinds}; "" is no pool'), exit_code=2)
    return FirstToken2d() if kind == "token" else SelectAdaptivePool2d(pool_type=kind)


def widening(kind: str) -> int:
    """How many numbers a channel a pool gives."""
    return 2 if kind == "catavgmax" else 1


def wider_than_head(kind: str) -> ConvlabError:
    """What is said where a pool gives more numbers than the layers after it take."""
    message = f"the global pool {quote(kind)} gives two numbers a channel, the layers after the pool take one"
    return ConvlabError(Problem("usage", message, help='another global_pool, such as "avg"'), exit_code=2)


def linear(features: int, classes: int, *, bias: bool, like: Tensor, pooled: bool) -> nn.Linear:
    """A linear layer for vectors or, where nothing is pooled, for maps; device and dtype are those of ``like``."""
    kind = nn.Linear if pooled else PointwiseLinear
    return kind(features, classes, bias=bias, device=like.device, dtype=like.dtype)


def reformed(layer: nn.Linear, pooled: bool) -> nn.Linear:
    """The same weights as a layer for vectors or for maps."""
    kind = nn.Linear if pooled else PointwiseLinear
    if type(layer) is kind:
        return layer
    made = kind(layer.in_features, layer.out_features, bias=layer.bias is not None, device="meta")
    made.weight, made.bias = layer.weight, layer.bias
    return made
