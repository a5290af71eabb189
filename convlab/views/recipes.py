"""The list of recipes, for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from convlab import units
from convlab.views.tables import Cell, Column, Table, words

if TYPE_CHECKING:
    from convlab.training.recipes.recipe import Recipe

COLUMNS = (
    Column("name", "name"),
    Column("budget", "budget", right=True),
    Column("data", "data", rank=1),
    Column("optimizer", "optimizer", rank=2),
    Column("batch", "batch", right=True, rank=3),
    Column("digest", "digest", rank=4),
    Column("summary", "summary", least=40),
)


def recipe_table(recipes: Iterable[Recipe]) -> Table:
    """A row a recipe: its budget, data, optimiser, batch and digest."""
    return Table(COLUMNS, tuple(_row(recipe) for recipe in recipes))


def budget_text(recipe: Recipe) -> str:
    """What a recipe spends: 65.54 k images, or 300 epochs."""
    if recipe.samples:
        return f"{units.count(recipe.samples)} images"
    return f"{recipe.epochs:g} epoch{'s' * (recipe.epochs != 1)}"


def _row(recipe: Recipe) -> tuple[Cell, ...]:
    budget = {"samples": recipe.samples} if recipe.samples else {"epochs": recipe.epochs}
    return (
        words(recipe.name),
        Cell(budget, budget_text(recipe)),
        words(recipe.data),
        words(recipe.optimizer),
        Cell(recipe.batch, f"{recipe.batch:,}"),
        words(recipe.digest),
        words(recipe.summary),
    )
