"""Stored trainings as the comparison that they were: ranking with intervals and ties, changes and doubts, from the rows alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import final

from convlab.errors import ConvlabError
from convlab.runs.records import Row
from convlab.training.keeping.trained import Trained
from convlab.training.proxies.overrides import Override
from convlab.training.recipes.recipe import Recipe
from convlab.training.verdicts.ranking import Ranking, Score, ranked
from convlab.views.rankings import ranking_table
from convlab.views.tables import Table
from convlab.views.trainings import override_table

KIND = "training"


@final
@dataclass(frozen=True)
class StoredComparison:
    """What trainings of a run come to together; tables are None where there is nothing to be shown."""

    ranking: Table | None
    changed: Table | None
    sentences: tuple[str, ...]
    doubts: tuple[tuple[str, str], ...]


def stored_comparison(rows: Mapping[int, Row]) -> StoredComparison:
    """The comparison of the rows of a run; those that were not trained to their end have no place in it."""
    ended = [row for row in rows.values() if row.details.get("test_accuracy") is not None]
    trained = [found for row in ended if (found := _trained(row)) is not None]
    ranking = _ranking(trained)
    return StoredComparison(
        ranking_table(ranking, trained),
        override_table(_overrides(rows)),
        tuple(ranking.notes) if trained else (),
        tuple(dict.fromkeys(_doubts(rows))),
    )


def figures(rows: Mapping[int, Row]) -> dict[int, Row]:
    """The rows of a run, a training as two of them: its loss, by which trainings are ranked, and its accuracy."""
    found: dict[int, Row] = {}
    for row in rows.values():
        if row.kind != KIND:
            found[len(found)] = row
            continue
        loss = row.details.get("validation_loss")
        found[len(found)] = replace(row, kind="validation loss", median=loss, low=None, high=None, unit="nats")
        found[len(found)] = replace(row, kind="validation accuracy")
    return found


def _ranking(trained: list[Trained]) -> Ranking:
    return ranked([Score(each.name, each.seed, each.validation_loss, each.validation_accuracy) for each in trained])


def _trained(row: Row) -> Trained | None:
    """As much of a training as a ranking asks for; None where this convlab does not read its design."""
    try:
        design = None if row.design is None else row.design.load(row.subject)
    except ConvlabError:
        return None

    def figure(name: str) -> float:
        value = row.details.get(name)
        return math.nan if value is None else float(value)

    if design is None:
        return None
    return Trained(
        row.subject,
        design,
        row.details["seed"],
        Recipe(),
        validation_loss=figure("validation_loss"),
        validation_accuracy=figure("validation_accuracy"),
        test_accuracy=figure("test_accuracy"),
        images_per_second=figure("images_per_second"),
    )


def _overrides(rows: Mapping[int, Row]) -> dict[str, tuple[Override, ...]]:
    told = {row.subject: row.details.get("overrides") or () for row in rows.values()}
    return {name: tuple(Override(**each) for each in changes) for name, changes in told.items()}


def _doubts(rows: Mapping[int, Row]) -> Iterator[tuple[str, str]]:
    everyone = {row.subject for row in rows.values()}
    for doubt in (each for row in rows.values() for each in row.details.get("doubts") or ()):
        whose = "" if set(doubt["names"]) >= everyone else f"{', '.join(doubt['names'])}: "
        yield str(doubt["topic"]), f"{whose}{doubt['sentence']}; {doubt['help']}"
