"""Recipes by name or file: those that come with convlab, one TOML file each beside this module, and a person's own."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from convlab.documents.document import Document, parse, read
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.training.recipes.reading import Source, resolved, settings
from convlab.training.recipes.recipe import Recipe

MAXIMUM_BASES = 32
NOT_INHERITED = ("base", "summary")


@cache
def recipe_names() -> tuple[str, ...]:
    """The names of the recipes that come with convlab, in order."""
    return tuple(sorted(path.name.removesuffix(".toml") for path in Path(__file__).parent.glob("*.toml")))


def recipe(source: str | os.PathLike[str] | Recipe = "sprint", *, sets: Sequence[str] = ()) -> Recipe:
    """The recipe of a name or a file, with arguments such as "epochs=2" put in; a recipe is taken as it is.

    What a person's own file says counts as turned by hand, as what an argument says does. Raises ConvlabError with everything that is
    wrong, at its place.
    """
    turned = settings(sets)
    if isinstance(source, Recipe):
        return _by_hand(resolved(source, turned), _said(turned)) if sets else source
    path = _find(source)
    start = Recipe(name=path.name.removesuffix(".toml"))
    sources = [*_on_bases(read(path), path), *turned]
    return _by_hand(resolved(start, sources), _said(sources))


def recipe_of_text(text: str, *, name: str = "recipe") -> Recipe:
    """The recipe of a file's text; ``name`` stands for the file in errors. Raises ConvlabError."""
    stem = Path(name).name.removesuffix(".toml")
    sources = _on_bases(parse(text, name), Path(name))
    return _by_hand(resolved(Recipe(name=stem), sources), _said(sources))


def recipe_of(values: Mapping[str, Any], *, name: str = "") -> Recipe:
    """The recipe of a table of knobs, such as one that was kept with a run; the others are at their defaults. Raises ConvlabError."""
    return resolved(Recipe(name=name), [Source(dict(values))])


def changed(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe with some knobs turned; epochs take the place of samples. Raises ConvlabError with everything wrong."""
    return _by_hand(resolved(recipe, [Source(dict(values))]), values)


def _said(sources: Iterable[Source]) -> list[str]:
    """The knobs that a person turned, in a file or in an argument; those of the recipes that come with convlab are not."""
    own = Path(__file__).parent
    return [
        name
        for each in sources
        if each.document is None or Path(each.document.name).parent != own
        for name in _without(each.data, ("summary",))
    ]


def _by_hand(recipe: Recipe, names: Iterable[str]) -> Recipe:
    return dataclasses.replace(recipe, by_hand=recipe.by_hand | frozenset(names))


def _on_bases(document: Document, path: Path) -> list[Source]:
    """A document and those of its bases, the oldest first."""
    found = [Source(_without(document.data, ("base",)), document)]
    seen = [path]
    while "base" in document.data:
        above, (path, document) = document, _base_of(document)
        names = " -> ".join(str(item) for item in [*seen, path])
        if any(path.resolve() == other.resolve() for other in seen) or len(seen) == MAXIMUM_BASES:
            help = "one of the files must have no base, or another one"
            raise _bad_base(above, "base-cycle", f"base goes round in a circle: {names}", help)
        seen.append(path)
        found.append(Source(_without(document.data, NOT_INHERITED), document))
    return found[::-1]


def _without(table: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def _base_of(document: Document) -> tuple[Path, Document]:
    """The base of a document; what cannot be read as a file at all is told at the place that names it."""
    base = document.data["base"]
    if not isinstance(base, str):
        help = 'base = "sprint", or base = "mine.toml"'
        raise _bad_base(document, "wrong-type", f"base is the name of a recipe or a file, not {quote(base)}", help)
    try:
        path = _find(base, Path(document.name).parent)
        return path, read(path)
    except ConvlabError as error:
        place = document.place(("base",))
        told = [
            problem if problem.place and problem.place.line else dataclasses.replace(problem, place=place, path="base")
            for problem in error.problems
        ]
        raise ConvlabError(*told, exit_code=error.exit_code) from None


def _bad_base(document: Document, code: str, message: str, help: str) -> ConvlabError:
    return ConvlabError(Problem(code, message, document.place(("base",)), help=help, path="base"))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return False


def _find(source: str | os.PathLike[str], folder: Path | None = None) -> Path:
    """The file that a path or a recipe's name means; a relative path is taken from ``folder``."""
    text = os.fspath(source)
    if text in recipe_names():
        return Path(__file__).parent / f"{text}.toml"
    path = Path(text) if folder is None else folder / text
    if text.endswith(".toml") or (text and _is_there(path)):
        return path
    problem = Problem(
        "unknown-recipe",
        f"there is no recipe {quote(text)}",
        label=did_you_mean(text, recipe_names()),
        help=f"recipes: {', '.join(recipe_names())}; the name of a file ends in .toml",
    )
    raise ConvlabError(problem, exit_code=2)
