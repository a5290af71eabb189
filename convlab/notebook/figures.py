"""The cards of an explorer: the headline figures with their change against the baseline, predicted speed where the device is calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, final

from convlab.costs import Profile
from convlab.errors import ConvlabError
from convlab.views.cards import Card, cards, delta
from convlab.views.knob_texts import path_text
from convlab.views.tables import Cell, Column, Table, words

if TYPE_CHECKING:
    from convlab.prediction import Calibration

TITLES = {
    "params": "parameters",
    "macs": "MACs",
    "activations": "activations",
    "peak_bytes": "peak memory",
    "saved_bytes": "kept for backward",
    "receptive_field": "a pixel sees",
    "latency": "predicted latency",
    "throughput": "predicted speed",
    "train_step": "predicted step",
}
"""The cards that an explorer shows, in their order."""


@final
class Headlines:
    """Makes the cards of one design after the other; those of the baseline are made once."""

    def __init__(self, calibration: Calibration | None) -> None:
        self._calibration = calibration
        self._baseline: dict[str, Card] = {}

    def against(self, baseline: Profile) -> None:
        """Compare with another baseline from now on."""
        self._baseline = {card.name: card for card in self._made(baseline)}

    def of(self, profile: Profile) -> tuple[Card, ...]:
        """The cards of a profile."""
        return tuple(self._compared(card) for card in self._made(profile))

    def _made(self, profile: Profile) -> list[Card]:
        made = {card.name: card for card in cards(profile, names=TITLES)}
        if self._calibration is not None:
            from convlab.views.predictions import speed_cards

            made |= {card.name: card for card in speed_cards([profile], self._calibration)[0]}
        return [made[name] for name in TITLES if name in made]

    def _compared(self, card: Card) -> Card:
        other = self._baseline.get(card.name)
        if other is None or not isinstance(card.value, int | float) or not isinstance(other.value, int | float):
            return card
        return replace(card, delta=delta(card.value, other.value))


def calibration() -> Calibration | None:
    """That of this device as it is now; None where there is none, or settings are wrong, which `convlab config` tells."""
    from convlab.settings import read_settings, settings_of
    from convlab.views.predictions import calibration_here

    try:
        return calibration_here(settings_of(read_settings()))
    except ConvlabError:
        return None


def beside(names: Sequence[str], shown: Sequence[Sequence[Card]], changes: Sequence[str]) -> Table:
    """A row a design: its name, its cards, and in what it differs from the first."""
    titles = [Column(card.name, TITLES[card.name], right=True) for card in shown[0]]
    rows = [
        (words(name), *(Cell(card.value, _told(card)) for card in found), words(change))
        for name, found, change in zip(names, shown, changes, strict=True)
    ]
    return Table((Column("name", "design"), *titles, Column("changes", "differs in")), tuple(rows))


def changes_text(found: Sequence[tuple[str, tuple[object, ...]]]) -> str:
    """Knobs with their new values: "depths [3, 3, 27, 3]; block.kernel_size 9"."""
    return "; ".join(f"{path} {path_text(path, values[-1])}" for path, values in found)


def _told(card: Card) -> str:
    return f"{card.text} {card.delta.text}" if card.delta else card.text
