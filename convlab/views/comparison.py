"""Designs side by side: their figures, each with its change against the first, and the knobs in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from convlab.costs import Profile, profile
from convlab.views.cards import FIGURES, Card, cards, plain_cards
from convlab.views.knob_paths import Difference, differences
from convlab.views.knob_texts import path_text
from convlab.views.tables import Cell, Column, Table, plain, words


def comparison(profiles: Sequence[Profile], predicted: Sequence[Sequence[Card]] = ()) -> Table:
    """A row a figure and a column a design; from the second design on, each cell carries the change against the first.

    Folding changes parameters and multiply-adds: where it does, both forms are told. ``predicted`` are cards of each design that
    come last.
    """
    shown = [cards(profile, None if index == 0 else profiles[0]) for index, profile in enumerate(profiles)]
    rows = [_row(FIGURES[row[0].name].title, row) for row in zip(*shown, strict=True)]
    forms = _folded(profiles)
    if any((form.params, form.macs) != (one.params, one.macs) for form, one in zip(forms, profiles, strict=True)):
        rows[2:2] = [_row(f"{FIGURES[row[0].name].title}, folded", row) for row in zip(*_sizes(forms), strict=True)]
    rows += [_row(row[0].figure.title, [_with_doubt(card) for card in row]) for row in zip(*predicted, strict=True)]
    return Table(_columns("figure", profiles), tuple(rows))


def knob_table(profiles: Sequence[Profile]) -> Table:
    """A row for every knob in which the designs differ; "-" where a design's kinds do not use the knob."""
    found = differences([profile.design for profile in profiles])
    rows = [
        (words(item.path), *(Cell(plain(value), path_text(item.path, value)) for value in item.values))
        for item in found
    ]
    return Table(_columns("knob", profiles), tuple(rows))


def plain_comparison(profiles: Sequence[Profile]) -> dict[str, Any]:
    """The comparison as JSON holds it: the designs with their cards, and the knobs in which they differ."""
    shown = [cards(profile, None if index == 0 else profiles[0]) for index, profile in enumerate(profiles)]
    found = differences([profile.design for profile in profiles])
    return {
        "designs": [
            {
                "name": profile.design.name,
                "summary": profile.design.summary,
                "cards": plain_cards(made),
                "folded": plain_cards(form),
            }
            for profile, made, form in zip(profiles, shown, _sizes(_folded(profiles)), strict=True)
        ],
        "knobs": plain_differences(found),
    }


def plain_differences(found: Sequence[Difference]) -> list[dict[str, Any]]:
    """Knobs in which designs differ as JSON holds them."""
    return [{"path": item.path, "values": plain(item.values)} for item in found]


def _folded(profiles: Sequence[Profile]) -> list[Profile]:
    return [profile(one.design, image=(one.image.height, one.image.width), folded=True) for one in profiles]


def _sizes(forms: Sequence[Profile]) -> list[tuple[Card, ...]]:
    """The cards of parameters and multiply-adds."""
    shown = [cards(form, None if index == 0 else forms[0]) for index, form in enumerate(forms)]
    return [tuple(card for card in made if card.name in ("params", "macs")) for made in shown]


def _row(title: str, row: Sequence[Card]) -> tuple[Cell, ...]:
    return (words(title), *(Cell(card.value, _with_delta(card)) for card in row))


def _columns(first: str, profiles: Sequence[Profile]) -> tuple[Column, ...]:
    titles = [profile.design.name for profile in profiles]
    return (Column(first, first), *(Column(str(index), title, least=16) for index, title in enumerate(titles)))


def _with_doubt(card: Card) -> Card:
    """A predicted figure with its uncertainty beside it: a table of figures has no room for the whole detail."""
    doubt = next((word for word in card.detail.split(", ") if word.startswith("predicted ")), "")
    return replace(card, text=f"{card.text} {doubt.removeprefix('predicted ')}".rstrip())


def _with_delta(card: Card) -> str:
    return card.text if card.delta is None else f"{card.text} {card.delta.text}"
