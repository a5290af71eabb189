"""Results of finished trainings, as files beside their checkpoints: a training that is resumed is not done twice."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.files import load_text, write_whole
from convlab.training.keeping.folders import RESULT, made
from convlab.training.keeping.identity import refuse_other
from convlab.training.keeping.trained import Point, Trained
from convlab.training.recipes.named import recipe_of


def keep_result(found: Trained, folder: Path, identity: Mapping[str, Any]) -> None:
    """Write the result of a training that is finished; ``identity`` says which one. Raises ConvlabError where it cannot."""
    kept = {name: getattr(found, name) for name in _plain_fields()}
    kept |= {
        "recipe_name": found.recipe.name,
        "checkpoint": found.checkpoint.name if found.checkpoint else "",
        "curve": [asdict(point) for point in found.curve],
        "identity": dict(identity),
    }
    try:
        write_whole(made(folder) / RESULT, json.dumps(without_nan(kept), indent=1).encode())
    except ConvlabError as error:  # the training failed, at its very end
        raise ConvlabError(*error.problems, exit_code=3) from None


def finished(folder: Path, identity: Mapping[str, Any] | None = None) -> Trained | None:
    """The result of the training in a folder, None where it is not finished.

    Raises ConvlabError where the file is damaged, or where ``identity`` is another training's.
    """
    path = folder / RESULT
    if not path.is_file():
        return None
    try:
        kept = json.loads(path.read_bytes())
        if identity is not None:
            refuse_other(kept["identity"], identity)
        return _result(kept, folder)
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        help = "delete the file: the result is then made again from the last checkpoint"
        message = f"{quote(str(path))} is damaged ({type(error).__name__})"
        raise ConvlabError(Problem("bad-checkpoint", message, help=help), exit_code=2) from None


def _result(kept: dict[str, Any], folder: Path) -> Trained:
    about = kept["identity"]
    figures = {name: _with_nan(kept[name]) for name in _plain_fields() if name in kept}
    return Trained(
        **figures | {"notes": tuple(kept["notes"])},
        design=dataclasses.replace(load_text(about["design"]), name=kept["name"]),
        recipe=dataclasses.replace(recipe_of(about["recipe"]), name=kept["recipe_name"]),
        curve=tuple(Point(**_with_nan(point)) for point in kept["curve"]),
        checkpoint=folder / kept["checkpoint"] if kept["checkpoint"] else None,
    )


def _plain_fields() -> tuple[str, ...]:
    """The fields that JSON holds as they are."""
    others = ("design", "recipe", "curve", "checkpoint")
    return tuple(field.name for field in dataclasses.fields(Trained) if field.name not in others)


def _with_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_nan(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_nan(item) for item in value]
    return math.nan if value is None else value


def without_nan(value: Any) -> Any:
    """What JSON has a form for: None for a number that is not finite, in lists and tables too."""
    if isinstance(value, Mapping):
        return {name: without_nan(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
