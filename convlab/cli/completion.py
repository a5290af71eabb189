"""Shell completion: presets and files for designs, knob paths and their choices for ``--set``, words for options."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from typer import Context

RUNS = 50
"""Runs that are offered."""

CHECKPOINTS = (".safetensors", ".pth", ".pt", ".bin")


def complete_design(incomplete: str) -> list[str]:
    """Presets by name, then TOML files and folders."""
    from convlab.presets import preset_names

    names = [name for name in (*preset_names(), *preset_names("roadmap")) if name.startswith(incomplete)]
    return [*names, *_files(incomplete)]


def complete_theme(incomplete: str) -> list[str]:
    """Themes of the lab."""
    return [name for name in ("dark", "light", "ansi", "okabe-ito") if name.startswith(incomplete)]


def complete_chart(incomplete: str) -> list[str]:
    """Kinds of charts."""
    from convlab.cli.chart_kinds import KINDS

    return [name for name in KINDS if name.startswith(incomplete)]


def complete_charted(ctx: Context, incomplete: str) -> list[str]:
    """What a kind of chart is drawn of: designs, spaces or stored runs."""
    from convlab.cli.chart_kinds import KINDS

    kind = KINDS.get(ctx.params.get("kind") or "")
    if kind is None or kind.of == "design":
        return complete_design(incomplete)
    return complete_space(incomplete) if kind.of == "space" else _run_names(ctx, incomplete, None)


def complete_chart_theme(incomplete: str) -> list[str]:
    """Themes of charts."""
    return [name for name in ("light", "dark") if name.startswith(incomplete)]


def complete_measure(ctx: Context, incomplete: str) -> list[str]:
    """What a kind of chart can show."""
    if ctx.params.get("kind") == "learning":
        from convlab.views.learning import FIGURES

        return [name for name in FIGURES if name.startswith(incomplete)]
    return [name for name in ("macs", "params", "activations", "saved_bytes") if name.startswith(incomplete)]


def complete_space(incomplete: str) -> list[str]:
    """Spaces by name, then TOML files and folders."""
    from convlab.presets import preset_names

    return [*(name for name in preset_names("spaces") if name.startswith(incomplete)), *_files(incomplete)]


def complete_set(incomplete: str) -> list[str]:
    """Knob paths up to "=", then what the knob can be."""
    from convlab.views.knob_paths import knob_paths

    path, equals, value = incomplete.partition("=")
    if not equals:
        return [f"{name}=" for name in _paths(incomplete) if name.startswith(incomplete)]
    bare = ".".join(part for part in path.split(".")[2:]) if path.startswith("stages.") else path
    knob = knob_paths().get(bare)
    if knob is None:
        return []
    choices = ("true", "false") if knob.kind == "boolean" else knob.words
    return [f"{path}={choice}" for choice in choices if choice.startswith(value)]


def complete_name(incomplete: str) -> list[str]:
    """Whatever can be explained."""
    from convlab.presets import preset_names
    from convlab.views.explanations import explained_names

    return [
        name for name in (*explained_names(), *preset_names(), *preset_names("spaces")) if name.startswith(incomplete)
    ]


def complete_grouping(incomplete: str) -> list[str]:
    """What costs can be grouped by."""
    return [word for word in ("stage", "block", "layer") if word.startswith(incomplete)]


def complete_color(incomplete: str) -> list[str]:
    """When to colour."""
    return _choices("color", incomplete)


def complete_device(incomplete: str) -> list[str]:
    """Devices, whether they are there or not."""
    return _choices("device", incomplete)


def complete_dtype(incomplete: str) -> list[str]:
    """Number formats."""
    return _choices("dtype", incomplete)


def complete_measured_dtype(incomplete: str) -> list[str]:
    """Number formats of measurements."""
    return [word for word in ("float32", "tf32", "bfloat16", "float16") if word.startswith(incomplete)]


def complete_task(incomplete: str) -> list[str]:
    """What a step that is measured does."""
    return [word for word in ("inference", "training", "both") if word.startswith(incomplete)]


def complete_mode(incomplete: str) -> list[str]:
    """How a network that is measured runs."""
    return [word for word in ("eager", "compiled", "max-autotune") if word.startswith(incomplete)]


def complete_format(incomplete: str) -> list[str]:
    """What designs can be exported to."""
    from convlab.exports.formats import FORMATS

    return [name for name in FORMATS if name.startswith(incomplete)]


def complete_layout(incomplete: str) -> list[str]:
    """Whose names a checkpoint can use."""
    from convlab.weights import LAYOUTS

    return [name for name in LAYOUTS if name.startswith(incomplete)]


def complete_source(incomplete: str) -> list[str]:
    """Checkpoints and folders."""
    return [*_files(incomplete, CHECKPOINTS)]


def complete_run(ctx: Context, incomplete: str) -> list[str]:
    """Latest, and the newest runs of the store, where there is one."""
    return _run_names(ctx, incomplete, None)


def complete_status(incomplete: str) -> list[str]:
    """What can have become of runs."""
    from convlab.runs.records import STATUSES

    return [word for word in STATUSES if word.startswith(incomplete)]


def complete_export(incomplete: str) -> list[str]:
    """What runs can be exported to."""
    return [word for word in ("csv", "parquet", "json") if word.startswith(incomplete)]


def complete_recipe(incomplete: str) -> list[str]:
    """Recipes by name, then TOML files and folders."""
    from convlab.training.recipes.named import recipe_names

    return [*(name for name in recipe_names() if name.startswith(incomplete)), *_files(incomplete)]


def complete_recipe_set(incomplete: str) -> list[str]:
    """Knobs of recipes up to "=", then what the knob can be."""
    from convlab.language.knobs import knobs_of
    from convlab.training.recipes.recipe import Recipe

    name, equals, value = incomplete.partition("=")
    knobs = knobs_of(Recipe)
    if not equals:
        return [f"{knob}=" for knob in knobs if knob.startswith(name)]
    if name not in knobs:
        return []
    choices = ("true", "false") if knobs[name].kind == "boolean" else knobs[name].choices
    return [f"{name}={choice}" for choice in choices if choice.startswith(value)]


def complete_data(incomplete: str) -> list[str]:
    """Data sets by name, then folders and parquet files."""
    from convlab.training.data.registry import datasets

    names = ["auto", *(known.name for known in datasets())]
    return [*(name for name in names if name.startswith(incomplete)), *_files(incomplete, (".parquet",))]


def complete_tracker(incomplete: str) -> list[str]:
    """What can follow a training."""
    return [word for word in ("tensorboard", "wandb", "trackio") if word.startswith(incomplete)]


def complete_training(ctx: Context, incomplete: str) -> list[str]:
    """Latest, the newest trainings of the store, and folders."""
    from convlab.training.recording import KIND

    return [*_run_names(ctx, incomplete, KIND), *_files(incomplete, ())]


def _choices(setting: str, incomplete: str) -> list[str]:
    from convlab.language.knobs import knobs_of
    from convlab.settings import Settings

    return [choice for choice in knobs_of(Settings)[setting].choices if choice.startswith(incomplete)]


def _run_names(ctx: Context, incomplete: str, kind: str | None) -> list[str]:
    from convlab.errors import ConvlabError
    from convlab.runs.address import address_of
    from convlab.runs.opening import opened
    from convlab.runs.reading import LATEST, find_runs
    from convlab.runs.records import Selection

    names = [LATEST]
    try:
        address = address_of(ctx.params.get("store"))
        if not isinstance(address, Path) or address.exists():
            names += [run.id for run in find_runs(opened(address, patience_s=1.0), Selection(kind=kind, limit=RUNS))]
    except ConvlabError:  # the command itself tells it
        pass
    return [name for name in names if name.startswith(incomplete)]


def _paths(incomplete: str) -> Iterator[str]:
    """The knobs' paths for all stages; those of stages once "stages." is begun."""
    from convlab.language.addresses import PLURALS, STAGE_SECTIONS
    from convlab.views.knob_paths import knob_paths

    yield from knob_paths()
    stage = incomplete.split(".")[1] if incomplete.count(".") > 1 else "*"
    yield from (f"stages.{stage}.{name}" for name in PLURALS.values())
    yield from (
        f"stages.{stage}.{path}" for path in knob_paths() if path.partition(".")[0] in STAGE_SECTIONS and "." in path
    )


def _files(incomplete: str, suffixes: tuple[str, ...] = (".toml",)) -> Iterator[str]:
    folder = incomplete[: incomplete.rfind("/") + 1]
    try:
        entries = sorted(Path(folder or ".").iterdir())
    except OSError:
        return
    for entry in entries:
        text = folder + entry.name
        if (
            text.startswith(incomplete)
            and not entry.name.startswith(".")
            and (entry.is_dir() or entry.suffix in suffixes)
        ):
            yield f"{text}/" if entry.is_dir() else text
