"""What of the documentation is made from the code: parts of pages by their names, and whole pages of presets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import readme  # a script beside this package

from building import cards, commands, knobs, lists, walk

__all__ = ["PARTS", "cards", "readme"]

PARTS: Mapping[str, Callable[[], str]] = {
    "design-knobs": knobs.design,
    "stem-knobs": lambda: knobs.section("stem"),
    "stem-kinds": lambda: knobs.kinds("stem"),
    "block-knobs": lambda: knobs.section("block"),
    "block-kinds": lambda: knobs.kinds("block"),
    "downsample-knobs": lambda: knobs.section("downsample"),
    "downsample-kinds": lambda: knobs.kinds("downsample"),
    "head-knobs": lambda: knobs.section("head"),
    "image-knobs": lambda: knobs.section("image"),
    "layers": knobs.layers,
    "words": knobs.words,
    "settings": knobs.settings,
    "recipes": knobs.recipes,
    "recipe-knobs": knobs.recipe_knobs,
    "metrics": lists.metrics,
    "figures": lists.figures,
    "error-codes": lists.error_codes,
    "exit-codes": lists.exit_codes,
    "presets": cards.families,
    "spaces": lists.spaces,
    "walk-figure": walk.figure,
    "walk-table": walk.table,
    "commands": commands.commands,
    "hero": cards.hero,
}
"""What a page can ask for."""
