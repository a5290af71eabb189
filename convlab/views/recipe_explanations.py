"""Explanations of recipes and of their knobs: what each does, its bounds, and what the named recipes set it to."""

from __future__ import annotations

import json
from collections.abc import Iterator

from convlab.language.knobs import Knob, knobs_of
from convlab.training.recipes.named import recipe, recipe_names
from convlab.training.recipes.recipe import Recipe
from convlab.training.recipes.writing import differences
from convlab.views.explanation import Explanation, sentence
from convlab.views.tables import value_text

PREFIX = "recipe."

EXAMPLES = {
    "data": "digits",
    "samples": "131072",
    "batch": "256",
    "learning_rate": "4e-3",
    "accumulation": "2",
    "seed": "7",
    "warmup_epochs": "1",
}
"""Values to show, where one that is made from the knob says less."""


NOT_KNOWN = ("imagenet",)
"""Data that recipes name but that no name of a set finds: a person says where they lie."""


def recipe_words() -> tuple[str, ...]:
    """Whatever is explained here: recipes, and their knobs."""
    return (*recipe_names(), *knobs_of(Recipe), *(PREFIX + name for name in knobs_of(Recipe)))


def explain_recipe(name: str) -> Iterator[Explanation]:
    """A recipe, a knob of recipes with ``recipe.`` before it or without, or both."""
    if name in recipe_names():
        yield _recipe(recipe(name))
    about = knobs_of(Recipe).get(name.removeprefix(PREFIX))
    if about is not None:
        yield _knob(about)


def _recipe(shown: Recipe) -> Explanation:
    facts = tuple((knob, value_text(value)) for knob, (value, _) in differences(shown, Recipe()).items())
    text = f"{sentence(shown.summary)} What it does not leave at the knobs' defaults:"
    whose = " --data FOLDER" * (shown.data in NOT_KNOWN)
    return Explanation(shown.name, "recipe", text, facts, f"convlab train convnext_t --recipe {shown.name}{whose}")


def _knob(about: Knob) -> Explanation:
    used = ", ".join(f"{name} {value_text(value)}" for name, value in _uses(about))
    facts = (
        ("value", about.bounds()),
        ("unit", about.unit),
        ("default", value_text(about.default) or "empty"),
        ("in recipes", used),
    )
    told = tuple(fact for fact in facts if fact[1])
    example = f"convlab train convnext_t --recipe-set {about.name}={_example(about)}"
    return Explanation(PREFIX + about.name, "knob of a recipe", sentence(about.help), told, example)


def _uses(about: Knob) -> list[tuple[str, object]]:
    """The recipes that turn a knob, with its value there."""
    found = [(name, getattr(recipe(name), about.name)) for name in recipe_names()]
    return [] if about.name == "summary" else [(name, value) for name, value in found if value != about.default]


def _example(about: Knob) -> str:
    """A value to show as it is written on a command line: one that a recipe has, or else not the default."""
    if about.name in EXAMPLES:
        return EXAMPLES[about.name]
    if about.kind == "choice":
        return next(choice for choice in about.choices if choice != about.default)
    if about.kind == "boolean":
        return value_text(not about.default)
    used = [value for _, value in _uses(about)]
    if about.kind == "text":
        return str(used[0]) if used else json.dumps("mine")
    return value_text(used[0] if used else about.default or 1)
