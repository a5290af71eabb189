"""The reference of the language, of recipes and of settings, made from the knobs that declare them."""

from __future__ import annotations

from collections.abc import Iterable

from building.text import code, prose, table
from convlab.language.addresses import PLURALS, SECTIONS
from convlab.language.knobs import Knob, knobs_of
from convlab.settings import Settings
from convlab.training.recipes.named import recipe_names
from convlab.training.recipes.recipe import Recipe
from convlab.views.explanation import Explanation
from convlab.views.knob_explanations import KINDS, explain_kind, explain_knobs, explain_setting
from convlab.views.knob_paths import knob_paths
from convlab.views.layer_explanations import written_layers
from convlab.views.recipe_explanations import explain_recipe
from convlab.views.tables import value_text
from convlab.views.topics import TOPICS, explain_topic


def design() -> str:
    """The knobs of a design that lie in no table, those with a value a stage last."""
    paths = [path for path in knob_paths() if "." not in path]
    return _knobs([*(path for path in paths if path not in PLURALS), *PLURALS])


def section(name: str) -> str:
    """The knobs of a table of a design's file."""
    return _knobs(path for path in knob_paths() if path.startswith(f"{name}."))


def kinds(name: str) -> str:
    """The named kinds of a section: what each is, and the knobs that it sets otherwise than the section's defaults."""
    found = []
    for kind in KINDS[name]:
        about = explain_kind(name, kind)
        values = " ".join(code(f"{label} = {value}") for label, value in about.facts if _is_knob(name, label))
        found.append(
            f'### {kind} {{ #{name}-{kind} }}\n\n{prose(about.text)}\n\n<p class="defaults">{values}</p>\n\n{_example(about)}'
        )
    return "\n\n".join(found)


def layers() -> str:
    """The layers that a custom block is written with, then what holds of all of them."""
    rows = [(code(example), prose(text)) for example, text in written_layers()]
    return table(("layer", "what it is"), rows)


def words() -> str:
    """The words of a file that are no knobs."""
    return "\n\n".join(_entry(about) for name in TOPICS for about in explain_topic(name))


def settings() -> str:
    """What can be set once instead of with every command."""
    return "\n\n".join(_entry(explain_setting(knob)) for knob in knobs_of(Settings).values())


def recipes() -> str:
    """The recipes that come along, and what each turns."""
    found = (about for name in recipe_names() for about in explain_recipe(name) if about.what == "recipe")
    return "\n\n".join(_entry(about) for about in found)


def recipe_knobs() -> str:
    """The knobs of a recipe."""
    rows = [
        (code(name), prose(knob.help), prose(_bounds(knob)), code(value_text(knob.default)))
        for name, knob in knobs_of(Recipe).items()
    ]
    return table(("knob", "what it does", "value", "default"), rows)


def _knobs(paths: Iterable[str]) -> str:
    return "\n\n".join(_entry(about) for path in paths for about in explain_knobs(path) if about.name == path)


def _entry(about: Explanation) -> str:
    facts = "\n".join(f"- **{prose(label)}** {prose(text)}" for label, text in about.facts[:8])
    return f"### {prose(about.name)} {{ #{about.name} }}\n\n{prose(about.text)}\n\n{facts}\n\n{_example(about)}"


def _example(about: Explanation) -> str:
    return f"Example: {code(about.example)}" if about.example else ""


def _bounds(knob: Knob) -> str:
    return f"{knob.bounds()}{f', {knob.unit}' if knob.unit else ''}"


def _is_knob(section: str, label: str) -> bool:
    return label in knobs_of(SECTIONS[section])
