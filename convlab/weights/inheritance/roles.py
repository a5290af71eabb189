"""What each layer of a block does, whatever it is called: two layers of one role connect the same kinds of channels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, final


@final
class Step(NamedTuple):
    """One layer of a block in order of execution: its name in the block, and its kind.

    Kinds: "convolution" (every layer that multiplies), "norm", "grn", "squeeze" (a gate). A step may be several layers in parallel.
    """

    name: str
    kind: str


FLOWS: dict[str, tuple[tuple[str, str], ...]] = {
    "first": (("spatial", "same"), ("expand", "hidden"), ("project", "stream")),
    "middle": (("expand", "hidden"), ("hidden_spatial", "same"), ("project", "stream")),
    "both": (("expand", "hidden"), ("project", "stream")),
    "fused": (("expand", "hidden"), ("project", "stream")),
    "separable": (("spatial", "same"), ("pointwise", "stream")),
    "single": (("spatial", "stream"),),
}
"""The convolutions of a block by its order: the role, and the channels that go out (those of the stage, hidden ones, or as they came)."""

BRANCHES = {
    "attention.norm": "attention.norm",
    "attention.attn": "attention",
    "attention.gamma": "attention.gamma",
    "mlp.norm": "spatial.norm",
    "mlp.fc1": "expand",
    "mlp.grn": "hidden.grn",
    "mlp.fc2": "project",
    "mlp.gamma": "gamma",
}
"""The roles in a transformer block: its second branch is what follows the spatial convolution in a ConvNeXt block."""

SHORTCUTS = {"shortcut.0": "shortcut.convolution", "shortcut.1": "shortcut.norm", "gamma": "gamma"}
"""The roles of what belongs to a residual rather than to its branch."""


def role_of(path: str, named: Mapping[str, str]) -> str:
    """The role of a layer or tensor in a block: that of the longest name that its path begins with, and the rest; else the path."""
    name = path
    while name and name not in named:
        name = name.rpartition(".")[0]
    return named[name] + path[len(name) :] if name else path


def roles(steps: Iterable[Step], order: str, *, enters: bool) -> dict[str, str]:
    """The role of every step by name. ``enters``: the block takes channels of the stage before (or another resolution of them).

    Layers that act on those other channels have a role of their own, so that they do not feed layers that act on the stage's.
    """
    flow = iter(FLOWS[order])
    channels, last = ("entry" if enters else "stream"), "start"
    found: dict[str, str] = {}
    for name, kind in steps:
        if kind == "convolution":
            last, out = next(flow)
            found[name] = f"entry.{last}" if channels == "entry" else last
            channels = channels if out == "same" else out
        elif kind == "norm":
            found[name] = f"entry.{last}.norm" if channels == "entry" else f"{last}.norm"
        else:
            found[name] = f"{channels}.{kind}"
    return _unique(found)


def order_of(kernels: list[tuple[int, bool]]) -> str | None:
    """The order of a written block that has convolutions of these sides (and depthwise or not) one after the other; None: none of ours."""
    wide = "".join("k" if side > 1 else "1" for side, _ in kernels)
    if wide == "k1":
        return "separable" if kernels[0][1] else "fused"
    return {"k11": "first", "1k1": "middle", "kk": "both", "11": "both", "k": "single"}.get(wide)


def _unique(found: dict[str, str]) -> dict[str, str]:
    """A second layer of one role keeps its name beside it."""
    seen: set[str] = set()
    return dict(_marked(found, seen))


def _marked(found: dict[str, str], seen: set[str]) -> Iterator[tuple[str, str]]:
    for name, role in found.items():
        yield name, role if role not in seen else f"{role} ({name})"
        seen.add(role)
