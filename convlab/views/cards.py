"""The cards: the headline figures of a design, each with its unit, what it means, and its change against a baseline."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from convlab import units
from convlab.costs import Profile

FLOAT = "float32"
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
"""The number formats, and the bytes of an element."""


FAR = 10.0
"""A change above this, +1000 %, is told as a factor."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a headline figure is: its name on the card, its unit, and what it means."""

    title: str
    unit: str
    help: str


FIGURES: dict[str, Figure] = {
    "params": Figure("params", "parameters", "trainable parameters"),
    "macs": Figure("MACs", "multiply-adds", "multiply-adds of convolutions and linear layers, for one image"),
    "flops": Figure("FLOPs", "operations", "floating-point operations, two a multiply-add, for one image"),
    "training_macs": Figure(
        "training MACs",
        "multiply-adds",
        "multiply-adds of forward and backward for one image: three times the forward ones, less the first layer's gradient of the image",
    ),
    "activations": Figure(
        "activations",
        "elements",
        "outputs of convolutions and linear layers, for one image (the definition of fvcore and of the RegNet paper)",
    ),
    "receptive_field": Figure(
        "receptive field",
        "px",
        "the side of what one pixel of the last feature map sees over its widest path; global where a layer sees the whole map. "
        "min is the narrowest path, start the first pixel that pixel 0 sees (negative: in the padding)",
    ),
    "peak_bytes": Figure(
        "peak memory",
        "bytes",
        "the most activation memory that is live at once at inference: eager, image included, float32 unless a card names another "
        "number format; weights come on top",
    ),
    "saved_bytes": Figure(
        "saved memory",
        "bytes",
        "what autograd keeps of a forward pass for the backward one: eager, float32, image included; weights, gradients and the "
        "optimizer's state come on top",
    ),
    "key": Figure(
        "key",
        "",
        "a hash of the network, without image size, rates, names and initial weights; one key, one network",
    ),
}
"""The headline figures in the order in which they are shown."""

PREDICTED: dict[str, Figure] = {
    "latency": Figure(
        "predicted latency",
        "s",
        "the time of a forward pass on one image, eager, as a calibration of this device predicts it; no measurement",
    ),
    "throughput": Figure(
        "predicted throughput",
        "images/s",
        "images a second at inference, eager, as a calibration of this device predicts it; no measurement",
    ),
    "train_step": Figure(
        "predicted step",
        "s",
        "the time of a training step (forward, backward, AdamW), eager, as a calibration of this device predicts it; no measurement",
    ),
}
"""The figures that are shown where the device was calibrated."""


@dataclass(frozen=True, slots=True)
class Delta:
    """The change of a figure against a baseline; ``ratio`` is relative, None where the baseline is 0."""

    baseline: float
    difference: float
    ratio: float | None

    @property
    def text(self) -> str:
        """Arrow, sign and percent, far up the factor: up and down also differ without colour."""
        if self.difference == 0:
            return "="
        if self.ratio is not None and self.ratio > FAR:
            factor = 1 + self.ratio
            return f"▲ x{factor:.1f}" if factor < 99.95 else f"▲ x{factor:,.0f}"
        arrow = "▲" if self.difference > 0 else "▼"
        return f"{arrow} {self.difference:+g}" if self.ratio is None else f"{arrow} {units.percent(self.ratio)}"


@dataclass(frozen=True, slots=True)
class Card:
    """One figure: its exact value, how it is written, what stands beside it, and its change against a baseline."""

    name: str
    value: int | float | str | None
    text: str
    detail: str = ""
    delta: Delta | None = None

    @property
    def figure(self) -> Figure:
        """What the figure is."""
        return FIGURES[self.name] if self.name in FIGURES else PREDICTED[self.name]


def cards(
    profile: Profile,
    against: Profile | None = None,
    *,
    batch: int = 1,
    dtype: str = FLOAT,
    names: Collection[str] = FIGURES,
) -> tuple[Card, ...]:
    """The cards of a profile; ``against`` a baseline they carry deltas. Memory is that of a batch, the rest that of one image.

    ``dtype`` is the number format at inference; what autograd keeps is told for float32. Only ``names`` are worked out.
    """
    made = _cards(profile, batch, dtype, names)
    if against is None:
        return made
    others = {card.name: card for card in _cards(against, batch, dtype, names)}
    return tuple(_compared(card, others[card.name]) for card in made)


def plain_cards(shown: tuple[Card, ...]) -> dict[str, dict[str, Any]]:
    """The cards as JSON holds them, by name."""
    return {card.name: _plain_card(card) for card in shown}


def delta(value: float, baseline: float) -> Delta:
    """The change from a baseline to a value."""
    return Delta(baseline, value - baseline, (value - baseline) / baseline if baseline else None)


def _cards(profile: Profile, batch: int, dtype: str, names: Collection[str]) -> tuple[Card, ...]:
    return tuple(_MAKERS[name](profile, batch, dtype) for name in FIGURES if name in names)


def _flops(profile: Profile, batch: int, dtype: str) -> Card:
    return Card("flops", profile.flops, units.count(profile.flops), "2 x MACs")


def _training_macs(profile: Profile, batch: int, dtype: str) -> Card:
    return Card("training_macs", profile.training_macs, units.count(profile.training_macs), "forward and backward")


def _activations(profile: Profile, batch: int, dtype: str) -> Card:
    return Card("activations", profile.activations, units.count(profile.activations), _other_activations(profile))


def _peak_bytes(profile: Profile, batch: int, dtype: str) -> Card:
    peak = profile.peak_bytes(batch, element_bytes=BYTES[dtype])
    return Card("peak_bytes", peak, units.size(peak), f"activations at inference, {dtype}, batch {batch}")


def _saved_bytes(profile: Profile, batch: int, dtype: str) -> Card:
    saved = profile.saved_bytes(batch)
    return Card("saved_bytes", saved, units.size(saved), f"kept for the backward pass, float32, batch {batch}")


def _key(profile: Profile, batch: int, dtype: str) -> Card:
    key = profile.design.key
    return Card("key", key, key)


def _counted(name: str, number: int) -> Card:
    return Card(name, number, units.count(number), f"{number:,} {FIGURES[name].unit}")


def _other_activations(profile: Profile) -> str:
    with_pools, outputs = profile.total("activations_with_pools"), profile.total("outputs")
    return f"with pools {units.count(with_pools)}, all layers' outputs {units.count(outputs)}"


def _receptive_field(profile: Profile) -> Card:
    widest, narrowest = profile.receptive_field
    least = f"min {narrowest.size} px, stride {narrowest.stride} px"
    if widest is None:
        return Card("receptive_field", None, "global", least)
    return Card("receptive_field", widest.size, f"{widest.size} px", f"{least}, start {widest.start} px")


_MAKERS: dict[str, Callable[[Profile, int, str], Card]] = {
    "params": lambda profile, batch, dtype: _counted("params", profile.params),
    "macs": lambda profile, batch, dtype: _counted("macs", profile.macs),
    "flops": _flops,
    "training_macs": _training_macs,
    "activations": _activations,
    "receptive_field": lambda profile, batch, dtype: _receptive_field(profile),
    "peak_bytes": _peak_bytes,
    "saved_bytes": _saved_bytes,
    "key": _key,
}
"""How the card of each figure is made."""


def _compared(card: Card, other: Card) -> Card:
    if isinstance(card.value, int) and isinstance(other.value, int):
        return Card(card.name, card.value, card.text, card.detail, delta(card.value, other.value))
    changed = "" if card.value == other.value or card.name == "key" else f"was {other.text}; "
    return Card(card.name, card.value, card.text, changed + card.detail)


def _plain_card(card: Card) -> dict[str, Any]:
    shown: dict[str, Any] = {"value": card.value, "unit": card.figure.unit, "text": card.text, "detail": card.detail}
    if card.delta is not None:
        shown["delta"] = {
            "baseline": card.delta.baseline,
            "difference": card.delta.difference,
            "ratio": card.delta.ratio,
        }
    return shown
