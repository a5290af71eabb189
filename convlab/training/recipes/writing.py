"""A recipe as TOML: in full, or as what differs from another one."""

from __future__ import annotations

from convlab.training.recipes.recipe import Recipe, values


def text_in_full(recipe: Recipe) -> str:
    """The recipe as TOML with every knob; it reads as an equal recipe."""
    import tomlkit

    return tomlkit.dumps(values(recipe))


def differences(recipe: Recipe, other: Recipe) -> dict[str, tuple[object, object]]:
    """The knobs in which two recipes differ, with both values, summaries aside."""
    theirs = values(other)
    return {
        name: (value, theirs[name])
        for name, value in values(recipe).items()
        if value != theirs[name] and name != "summary"
    }
