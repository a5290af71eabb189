"""The block: one general residual block whose knobs are the choices of the paper. A named kind is a set of defaults of those knobs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Any

from convlab.language.knobs import AUTO, KeyOfCaches, knob
from convlab.layers import ACTIVATIONS, NORMS

NORM_KINDS = (*NORMS, "none")
ACTIVATION_KINDS = (*ACTIVATIONS, "none")
PLACES = ("expand", "spatial", "project", "output")

ORDERS: dict[str, tuple[str, ...]] = {
    "middle": ("expand", "spatial", "project"),
    "first": ("spatial", "expand", "project"),
    "both": ("expand", "project"),
    "fused": ("expand", "project"),
    "separable": ("spatial", "project"),
    "single": ("project",),
}
"""The convolutions of a block in order. In "both" the expanding and the projecting one are spatial, in "fused" the expanding one, in
"single" the projecting one."""

_BOTTLENECK: dict[str, Any] = {
    "order": "middle",
    "expansion_ratio": 0.25,
    "kernel_size": 3,
    "norm_after": ("expand", "spatial", "project"),
    "activation_after": ("expand", "spatial", "output"),
}
_CONVNEXT: dict[str, Any] = {
    "order": "first",
    "expansion_ratio": 4.0,
    "kernel_size": 7,
    "groups": "depthwise",
    "norm": "layer_norm",
    "norm_after": ("spatial",),
    "activation": "gelu",
    "activation_after": ("expand",),
    "bias": True,
    "pointwise": "linear",
}
_MBCONV: dict[str, Any] = {
    "expansion_of": "input",
    "kernel_size": 3,
    "activation": "silu",
    "shortcut": "identity",
}
_TRANSFORMER: dict[str, Any] = {
    "expansion_ratio": 4.0,
    "norm": "layer_norm",
    "activation": "gelu",
    "bias": True,
    "pointwise": "linear",
}

ATTENTION_KINDS = ("swin", "vit")
"""The kinds whose blocks are a residual branch of attention and one of a pointwise expansion and projection."""

KINDS: dict[str, dict[str, Any]] = {
    "basic": {
        "order": "both",
        "kernel_size": 3,
        "norm_after": ("expand", "project"),
        "activation_after": ("expand", "output"),
        "squeeze_after": "project",
    },
    "bottleneck": _BOTTLENECK,
    "inverted": _BOTTLENECK | {"expansion_ratio": 4.0, "groups": "depthwise"},
    "convnext": _CONVNEXT | {"layer_scale": 1e-6},
    "convnext_v2": _CONVNEXT | {"grn": True},
    "mbconv": _MBCONV
    | {
        "order": "middle",
        "expansion_ratio": 6.0,
        "groups": "depthwise",
        "norm_after": ("expand", "spatial", "project"),
        "activation_after": ("expand", "spatial"),
        "squeeze_ratio": 0.25,
        "squeeze_of": "input",
    },
    "fused_mbconv": _MBCONV
    | {
        "order": "fused",
        "expansion_ratio": 4.0,
        "norm_after": ("expand", "project"),
        "activation_after": ("expand",),
        "squeeze_after": "expand",
    },
    "regnet_x": _BOTTLENECK | {"expansion_ratio": 1.0, "group_width": 16},
    "regnet_y": _BOTTLENECK | {"expansion_ratio": 1.0, "group_width": 16, "squeeze_ratio": 0.25, "squeeze_of": "input"},
    "swin": _TRANSFORMER | {"head_width": 32, "window": 7, "shift": True, "relative_position": True},
    "vit": _TRANSFORMER | {"head_width": 64},
    "custom": {},
}
"""The named kinds and their defaults, where they differ from those of the knobs."""


@dataclass(frozen=True)
class Block(KeyOfCaches):
    """One residual block. ``Block.of(kind)`` gives a kind's defaults; ResNet's and ConvNeXt's blocks are two settings of it."""

    kind: str = knob("convnext", "the named set of defaults that the block starts from", choices=tuple(sorted(KINDS)))
    order: str = knob(
        "middle",
        "where the spatial convolution stands: between the pointwise ones, moved up to the front, both convolutions spatial, "
        "fused with the expansion, without an expansion, or the only convolution",
        choices=tuple(ORDERS),
    )
    expansion_ratio: float = knob(
        1.0, "hidden width over block width: 0.25 is a bottleneck, 4 an inverted one", low=0.01, high=64
    )
    expansion_of: str = knob("output", "the width that the expansion ratio multiplies", choices=("output", "input"))
    kernel_size: int = knob(3, "side of the spatial convolution's kernel; may be even", low=1, high=511, unit="px")
    groups: int | str = knob(
        1,
        "groups of the spatial convolution (its cardinality)",
        low=1,
        high=65536,
        choices=("depthwise",),
        kind="integer",
    )
    group_width: int = knob(
        0,
        "channels a group, instead of groups; the hidden width is rounded to a multiple of it; 0: as groups say",
        low=0,
        high=65536,
        zero=AUTO,
    )
    norm: str = knob("batch_norm", "the kind of normalisation", choices=NORM_KINDS)
    norm_after: tuple[str, ...] = knob(
        ("expand", "spatial", "project"),
        "the convolutions that a norm follows, of those that the order has",
        choices=PLACES[:3],
        kind="choices",
    )
    shortcut_norm: bool = knob(True, "a norm on the projection shortcut")
    activation: str = knob("relu", "the kind of activation", choices=ACTIVATION_KINDS)
    activation_after: tuple[str, ...] = knob(
        ("expand", "spatial", "output"),
        "the places that an activation follows, of those that the order has; output is the sum of branch and shortcut",
        choices=PLACES,
        kind="choices",
    )
    squeeze_ratio: float = knob(0.0, "squeeze-excite: its hidden width over squeeze_of's; 0: none", low=0, high=4)
    squeeze_of: str = knob(
        "hidden", "the width that the squeeze ratio multiplies", choices=("hidden", "input", "output")
    )
    squeeze_after: str = knob("spatial", "the convolution that squeeze-excite follows", choices=PLACES[:3])
    heads: int = knob(0, "heads of attention; 0: as the head width says", low=0, high=65536, zero=AUTO)
    head_width: int = knob(
        32, "channels of one head of attention, where heads are 0", low=1, high=65536, unit="channels"
    )
    window: int = knob(
        0, "side of the windows in which pixels attend to each other; 0: the whole map", low=0, high=65536, unit="px"
    )
    shift: bool = knob(False, "windows shifted by half their side in every second block")
    relative_position: bool = knob(False, "a learned bias of attention by the offset of two pixels of a window")
    grn: bool = knob(False, "global response normalisation before the projection (ConvNeXt V2)")
    layer_scale: float = knob(0.0, "initial factor of the residual branch, one a channel; 0: none", low=0, high=10)
    bias: bool = knob(False, "biases in the convolutions")
    shortcut: str = knob(
        "projection",
        "where the shape changes: a 1x1 projection, or no shortcut at all (identity: only where it does not); none: never one",
        choices=("projection", "identity", "none"),
    )
    stride_at: str = knob(
        "spatial",
        "the convolution that carries an in-block stride; where the order lacks it, the first",
        choices=("spatial", "expand"),
    )
    pointwise: str = knob(
        "conv", "how pointwise layers are realised: as 1x1 convolutions or linear layers", choices=("conv", "linear")
    )
    branch: tuple[str, ...] = knob(
        (), 'the layers of a custom block: ["depthwise(7)", "norm", "pointwise(4x)", ...]', kind="layers"
    )
    branches: tuple[tuple[str, ...], ...] = knob(
        (), "several custom residual branches, one after the other", kind="layers"
    )

    __hash__ = KeyOfCaches.__hash__

    @staticmethod
    def of(kind: str, **knobs: Any) -> Block:
        """The block of a named kind with some knobs set."""
        block = _default(kind)
        return dataclasses.replace(block, **knobs) if knobs else block


@cache
def _default(kind: str) -> Block:
    return Block(kind=kind, **KINDS[kind])
