"""Trainings side by side: what each design was changed to, which cues it learned, how it was trained, and what a reader should know."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from convlab.training.proxies.brevity import for_its_budget
from convlab.training.recipes.recipe import values
from convlab.training.recording import budget, plain_overrides, plain_trained, recipe_label
from convlab.views.chance import chance_notes
from convlab.views.notes import Note
from convlab.views.rankings import plain_ranking
from convlab.views.tables import Cell, Column, Table, value_text, words

if TYPE_CHECKING:
    from convlab.measurement.machine.environment import Environment
    from convlab.training.comparing import Training
    from convlab.training.data.datasets import Dataset
    from convlab.training.keeping.trained import Trained
    from convlab.training.proxies.shrinking import Override
    from convlab.training.recipes.recipe import Recipe

NONE = "-"
STOPPED = "stopped before its end"

OVERRIDES = (
    Column("design", "design", least=12),
    Column("path", "changed", least=12),
    Column("before", "was", least=8),
    Column("after", "is", least=8),
    Column("why", "why", least=20, rank=1),
)


UNRANKED = (
    Column("name", "not ranked", least=12),
    Column("seed", "seed", right=True),
    Column("samples", "images", right=True),
    Column("validation_loss", "loss", right=True),
    Column("validation_accuracy", "accuracy %", right=True),
    Column("why", "", least=16),
)


def beginning(names: str, recipe: Recipe, data: Dataset, *, seeds: int, device: str) -> str:
    """What is about to be trained, in a line."""
    often = "" if seeds == 1 else f", {seeds} seeds"
    fitted, _ = for_its_budget(recipe, len(data.train))
    shown = f"{budget(fitted, data):,} images of {data.name}"
    why = f" ({data.note})" if data.note else ""
    return f"training {names} by {recipe_label(recipe)}: {shown}{why}, on {device}{often}"


def override_table(overrides: Mapping[str, Sequence[Override]]) -> Table | None:
    """What the designs were changed to before they were trained; what is the same of all of them is told once."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    values: dict[tuple[str, str, str, str], Override] = {}
    for name, changes in overrides.items():
        for each in changes:
            key = each.path, value_text(each.before), value_text(each.after), each.why
            found.setdefault(key, []).append(name)
            values[key] = each
    if not found:
        return None
    everyone = list(overrides)
    rows = []
    for key, names in sorted(found.items(), key=lambda item: len(item[1]) < len(everyone)):
        path, before, after, why = key
        cells = Cell(values[key].before, before), Cell(values[key].after, after)
        rows.append((Cell(names, _whose(names, everyone)), words(path), *cells, words(why)))
    return Table(OVERRIDES, tuple(rows))


def _whose(names: Sequence[str], everyone: Sequence[str]) -> str:
    """Some of the designs, in their order: those that follow each other by the first and the last."""
    if len(names) == len(everyone) > 1:
        return "all"
    first = everyone.index(names[0])
    in_a_row = list(names) == list(everyone[first : first + len(names)])
    return f"{names[0]} to {names[-1]}" if in_a_row and len(names) > 2 else ", ".join(names)


def unranked_table(found: Training) -> Table | None:
    """A row for each training that does not count in the ranking, as far as it came, and each design without any; None where all count.

    Losses and accuracies are those of the last look at the validation split.
    """
    unranked = found.ranking.unranked
    rows = [
        _unranked(each, each.failure or (STOPPED if each.stopped else unranked[each.name]))
        for each in found.trained
        if each.failure or each.stopped or each.name in unranked
    ]
    begun = {each.name for each in found.trained}
    nothing = (Cell(None, NONE),) * 4
    rows += [(words(name), *nothing, words(why)) for name, why in unranked.items() if name not in begun]
    return Table(UNRANKED, tuple(rows)) if rows else None


def cue_table(trained: Sequence[Trained]) -> Table | None:
    """A row a design: of the validation images that ask for a cue, the share that it answers; None where a set asks for none.

    It is the mean over trainings that came to their end, where a design has such.
    """
    ended = [each for each in trained if not each.failure and not each.stopped]
    whole = {each.name for each in ended}
    trained = [each for each in trained if each.name not in whole or each in ended]
    cues = list(dict.fromkeys(cue for each in trained for cue in each.cue_accuracy))
    if not cues:
        return None
    columns = [Column("name", "accuracy by cue, %", least=12), *(Column(cue, cue, right=True) for cue in cues)]
    names = dict.fromkeys(each.name for each in trained if each.cue_accuracy)
    rows = tuple((words(name), *(_cue(trained, name, cue) for cue in cues)) for name in names)
    return Table(tuple(columns), rows)


def doubt_facts(found: Training) -> list[tuple[str, str]]:
    """What a comparison cannot tell: topics, each with the designs, the reason, and what would tell it."""
    everyone = {member for member in found.overrides if member not in found.same}
    facts = []
    for doubt in found.doubts:
        whose = "" if set(doubt.names) == everyone else f"{', '.join(doubt.names)}: "
        facts.append((doubt.topic, f"{whose}{doubt.sentence}; {doubt.help}"))
    return facts


def trained_how(found: Training, environment: Environment) -> list[tuple[str, str]]:
    """How the networks were trained: recipe, data, device, speed."""
    recipe, data, trained = found.job.recipe, found.data, found.trained
    fitted, _ = for_its_budget(recipe, len(data.train))
    splits = f"{len(data.train):,} training, {len(data.validation):,} validation, {len(data.test):,} test images"
    software = environment.software
    threads = f", {software.threads} thread{'s' * (software.threads != 1)}" if environment.device.kind == "cpu" else ""
    shown = f"{budget(fitted, data):,} images in batches of {fitted.batch}, {_optimizer(fitted)}"
    seconds = sum(each.seconds for each in trained)
    facts = [
        ("recipe", f"{recipe_label(recipe)}: {shown}"),
        ("weights", found.job.weights),
        ("data", f"{data.name}, {data.channels}x{data.height}x{data.width}: {splits}"),
        ("from", data.source),
        ("device", f"{environment.device.name}{threads}, {recipe.dtype}, torch {software.packages.get('torch', '')}"),
        ("took", f"{duration(seconds)}{_of_it(trained)}, {speeds(trained)}" if seconds else ""),
    ]
    return [(label, text) for label, text in facts if text]


def _of_it(trained: Sequence[Trained]) -> str:
    """What of the time went into steps, and what into looks at the splits."""
    steps = math.fsum(each.training_seconds for each in trained)
    looks = math.fsum(each.evaluating_seconds for each in trained)
    return f" (training {duration(steps)}, evaluating {duration(looks)})" if steps else ""


def training_notes(found: Training) -> list[Note]:
    """Why networks have no figures, or not all of them, what else has to be known of them, and what chance may have done."""
    return [*trained_notes(found.trained), *chance_notes(found.ranking, found.data)]


def rate_notes(told: Sequence[str], environment: Environment) -> list[Note]:
    """That rates are not those of a quiet machine, for the reasons that are ``told``."""
    if not told:
        return []
    several = environment.device.kind == "cpu" and environment.software.threads > 1
    help = "--threads 1 is faster where threads wait for each other: results differ in the last bits" * several
    return [Note("", f"images/s may be off: {'; '.join(told)}", help or "results do not depend on it")]


def plain_training(found: Training, environment: Environment) -> dict[str, Any]:
    """A comparison as JSON holds it."""
    recipe, data = found.job.recipe, found.data
    return {
        "stopped": found.stopped,
        "folder": str(found.folder),
        "recipe": {"name": recipe.name, "digest": recipe.digest, "knobs": values(recipe)},
        "weights": found.job.weights,
        "weights_sha256": found.job.weights_sha256,
        "data": {
            "name": data.name,
            "source": data.source,
            "checksum": data.checksum,
            "note": data.note,
            "images": {split: len(getattr(data, split)) for split in ("train", "validation", "test")},
        },
        "environment": environment.to_json(),
        "ranking": plain_ranking(found.ranking),
        "overrides": {name: plain_overrides(each) for name, each in found.overrides.items()},
        "doubts": [asdict(doubt) for doubt in found.doubts],
        "same": dict(found.same),
        "trained": [plain_trained(each, data) for each in found.trained],
    }


def trained_notes(trained: Sequence[Trained]) -> list[Note]:
    """Why networks have no figures, or not all of them, and what else has to be known of them."""
    notes = []
    for each in trained:
        if each.failure:
            help = _against_divergence(each.recipe) if each.diverged else _against_want_of_memory(each.recipe)
            notes.append(Note(each.name, f"{each.name}, seed {each.seed}: {each.failure}", help))
    told: dict[str, list[str]] = {}
    for each in trained:
        for sentence in each.notes:
            told.setdefault(sentence, []).append(f"{each.name}, seed {each.seed}")
    every = len(trained)
    for sentence, whose in told.items():
        who = "" if len(whose) == every else f"{'; '.join(whose)}: "
        notes.append(Note("", f"{who}{sentence}", "figures of trainings that differ in this are not of the same kind"))
    return notes


def _against_divergence(recipe: Recipe) -> str:
    """What keeps figures finite, of what the recipe does not do already."""
    ways = [f"learning_rate={recipe.learning_rate / 3:.2g} (it was {value_text(recipe.learning_rate)})"]
    if not 0 < recipe.clip_norm <= 1:
        ways.append("clip_norm=1")
    if recipe.dtype != "float32":
        ways.append("dtype=float32")
    return f"train all designs anew with --recipe-set {' or '.join(ways)}"


def _against_want_of_memory(recipe: Recipe) -> str:
    """What a network needs that does not fit with one image at a time; a smaller batch is no help any more."""
    ways = ["a smaller design", "a smaller --image"]
    if recipe.shrink == "never":
        ways.append("--recipe-set shrink=auto")
    if recipe.dtype == "float32":
        ways.append("--recipe-set dtype=bfloat16")
    return f"train anew with {' or '.join(ways)}; --resume tries again, where more memory is free by then"


def speeds(trained: Sequence[Trained]) -> str:
    """The slowest and the fastest in images a second."""
    found = sorted(each.images_per_second for each in trained if math.isfinite(each.images_per_second))
    if not found:
        return "no speed known"
    ends = dict.fromkeys(f"{speed:,.0f}" for speed in (found[0], found[-1]))
    return f"{' to '.join(ends)} images/s"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _optimizer(recipe: Recipe) -> str:
    names = {"adamw": "AdamW", "sgd": "SGD", "muon": "Muon"}
    return f"{names[recipe.optimizer]} at {value_text(recipe.peak_learning_rate)}, {recipe.schedule.replace('_', ' ')}"


def _unranked(each: Trained, why: str) -> tuple[Cell, ...]:
    loss, accuracy = (
        value if math.isfinite(value) else None for value in (each.validation_loss, each.validation_accuracy)
    )
    return (
        words(each.name),
        Cell(each.seed, str(each.seed)),
        Cell(each.steps * each.recipe.batch, f"{each.steps * each.recipe.batch:,}"),
        Cell(loss, NONE if loss is None else f"{loss:.3f}"),
        Cell(accuracy, NONE if accuracy is None else f"{100 * accuracy:.2f}"),
        words(why),
    )


def _cue(trained: Sequence[Trained], name: str, cue: str) -> Cell:
    found = list(_answers(trained, name, cue))
    if not found:
        return Cell(None, NONE)
    mean = math.fsum(found) / len(found)
    return Cell(mean, f"{100 * mean:.1f}")


def _answers(trained: Sequence[Trained], name: str, cue: str) -> Iterator[float]:
    for each in trained:
        share = each.cue_accuracy.get(cue, math.nan)
        if each.name == name and math.isfinite(share):
            yield share
