"""The contents of a report: its sections in order, of designs, of what was measured and trained, and of where it was made."""

from __future__ import annotations

from collections.abc import Iterator

from convlab.report.asking import Asked
from convlab.report.designs import costs, design, differences, overview
from convlab.report.environment import environment
from convlab.report.evidence import measurements, trainings
from convlab.report.pieces import Contents, Facts, Section, section
from convlab.views.cards import FIGURES, PREDICTED
from convlab.views.predictions import Speeds, speeds
from convlab.views.stored_designs import Evidence, evidence

LONGEST_TITLE = 5
"""Designs that the title names."""


def contents(asked: Asked) -> Contents:
    """Everything that there is to say. Raises ConvlabError where the store cannot be read."""
    predicted = speeds(asked.profiles, asked.settings, threads=asked.threads)
    found = [] if asked.store is None else [evidence(asked.store, profile.design) for profile in asked.profiles]
    names = asked.names
    more = f" and {len(names) - LONGEST_TITLE} others" if len(names) > LONGEST_TITLE else ""
    return Contents(", ".join(names[:LONGEST_TITLE]) + more, _about(asked), tuple(_sections(asked, predicted, found)))


def _about(asked: Asked) -> str:
    count = len(asked.profiles)
    sets = ", ".join(asked.sets)
    if count == 1:
        return f"One design; turned: {sets}" if sets else "One design"
    turned = f"; turned in each: {sets}" if sets else ""
    return f"{count} designs; changes are against {asked.names[0]}{turned}"


def _sections(asked: Asked, predicted: Speeds, found: list[Evidence]) -> Iterator[Section]:
    several = len(asked.profiles) > 1
    yield section("overview", "Overview", overview(asked, predicted))
    if several:
        yield section("differences", "What differs", differences(asked))
    yield section("costs", "Where the costs are", costs(asked))
    for number, profile in enumerate(asked.profiles):
        pieces = design(asked, number, predicted)
        yield section(f"design-{number}", asked.names[number], pieces, about=profile.design.summary)
    if asked.store is not None:
        yield section("measurements", "Measurements", measurements(asked, found))
        yield section("trainings", "Trainings", trainings(asked, found))
    yield section("environment", "Where this was made", environment(asked, found))
    yield section("meaning", "What the figures mean", [_meaning(asked, predicted)])


def _meaning(asked: Asked, predicted: Speeds) -> Facts:
    about = {**FIGURES, **(PREDICTED if any(predicted.cards) else {})}
    return Facts(tuple((each.title, each.help) for each in about.values()))
