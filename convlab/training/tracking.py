"""Trackers that follow a training where they are asked for: TensorBoard's event files, Weights & Biases (wandb), trackio.

They are fed with the figures of the progress as it passes by, so that the loop knows nothing of them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Generic, NamedTuple, final

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.progress import Progress, Result, Work, retold
from convlab.training.keeping.trained import Trained

PROJECT: Final = "convlab"
"""What trainings are gathered under at wandb and trackio."""

Settings = Mapping[str, str | int | float | bool]
"""What a tracker shows beside the curves: the recipe's knobs, the design's key, the data."""


@final
@dataclass(frozen=True, slots=True)
class TrackedTraining:
    """The training that is followed: its name (a design and a seed), the folder of the comparison, and what it was made with."""

    name: str
    folder: Path
    settings: Settings

    @property
    def id(self) -> str:
        """The same at every start, so that a resumed training goes on under the curve that it began."""
        return hashlib.sha256(f"{self.folder.resolve()}\n{self.name}".encode()).hexdigest()[:16]


class Tracker(NamedTuple):
    """An open tracker: what takes the figures of a step, and what ends it."""

    log: Callable[[int, Mapping[str, float]], object]
    close: Callable[[], object]


@final
@dataclass(frozen=True, slots=True)
class Followed(Generic[Result]):
    """The result of work that was followed, and what is to be told of its trackers: one sentence for each that failed."""

    result: Result
    notes: tuple[str, ...]


def refuse_missing_trackers(names: Sequence[str]) -> None:
    """Raise ConvlabError where a tracker is unknown or its package is not installed; before a training is begun, not in the midst."""
    for name in names:
        if name not in TRACKERS:
            help = f"{did_you_mean(name, TRACKERS)} trackers: {', '.join(TRACKERS)}".strip()
            raise ConvlabError(Problem("usage", f"there is no tracker {quote(name)}", help=help), exit_code=2)
        if find_spec(name) is None:
            raise ConvlabError(
                Problem("missing-package", f"{name} is not installed", help=f"pip install {name}"), exit_code=2
            )


def tracked(work: Work[Trained], names: Sequence[str], training: TrackedTraining) -> Work[Trained]:
    """A training with trackers; what is to be told of them stands in the notes of its result."""
    found = yield from followed(work, names, training, last=_tested)
    return dataclasses.replace(found.result, notes=(*found.result.notes, *found.notes))


def _tested(found: Trained) -> dict[str, float]:
    """What is known of a training at its end alone, where it came to it."""
    figures = {"step": float(found.steps), "test_loss": found.test_loss, "test_accuracy": found.test_accuracy}
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def followed(
    work: Work[Result],
    names: Sequence[str],
    training: TrackedTraining,
    *,
    last: Callable[[Result], Mapping[str, float]] = lambda _: {},
) -> Work[Followed[Result]]:
    """The same work, step by step, with trackers that see the figures of its progress, and at its end those that ``last`` finds.

    A tracker is opened at the first figures. One that fails is let go with a note, and the work goes on: a training of a day does
    not end because a server is away.
    """
    waiting, trackers, notes = list(names), dict[str, Tracker](), list[str]()
    told: dict[str, float] = {}

    def tell(progress: Progress) -> Progress:
        if progress.figures:
            step = int(progress.figures.get("step", progress.done))
            for name in waiting:
                _open(name, training, step, trackers=trackers, notes=notes)
            waiting.clear()
            _log(step, _new(progress.figures, told), trackers=trackers, notes=notes)
            told.update(progress.figures)
        return progress

    try:
        result = yield from retold(work, tell)
        if (figures := last(result)) and trackers:
            _log(int(figures["step"]), _new(figures, told), trackers=trackers, notes=notes)
    finally:
        for name, tracker in trackers.items():
            _try(name, notes, tracker.close)
    return Followed(result, tuple(notes))


def _open(name: str, training: TrackedTraining, step: int, *, trackers: dict[str, Tracker], notes: list[str]) -> None:
    def opened() -> None:
        trackers[name] = TRACKERS[name](training, step)

    _try(name, notes, opened)


def _new(figures: Mapping[str, float], told: Mapping[str, float]) -> dict[str, float]:
    """Progress says the last validation loss again and again, until there is another one: what was not logged yet."""
    return {name: value for name, value in figures.items() if name != "step" and told.get(name) != value}


def _log(step: int, figures: Mapping[str, float], *, trackers: dict[str, Tracker], notes: list[str]) -> None:
    for name, tracker in list(trackers.items()):
        if not _try(name, notes, lambda tracker=tracker: tracker.log(step, figures)):  # type: ignore[misc]
            del trackers[name]
            with suppress(Exception):
                tracker.close()


def _try(name: str, notes: list[str], action: Callable[[], object]) -> bool:
    """Whether a tracker did what it was asked; where not, there is a note. It is other people's code, with errors of any kind."""
    try:
        action()
    except Exception as error:
        words = " ".join(str(error).split()) or type(error).__name__
        notes.append(f"{name} failed and follows the training no more: {words[:200]}")
        return False
    return True


def _tensorboard(training: TrackedTraining, step: int) -> Tracker:
    """Event files in FOLDER/tensorboard, a folder a member: `tensorboard --logdir FOLDER/tensorboard` shows them side by side."""
    from torch.utils.tensorboard import SummaryWriter

    place = training.folder / "tensorboard" / training.name
    # What a killed run had logged beyond the checkpoint that it goes on from is not shown any more.
    writer = SummaryWriter(place, purge_step=step, flush_secs=10)
    rows = "".join(f"| {name} | {value} |\n" for name, value in training.settings.items())
    writer.add_text("settings", f"| knob | value |\n|---|---|\n{rows}", step)

    def log(step: int, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            writer.add_scalar(name, value, step)

    return Tracker(log, writer.close)


def _wandb(training: TrackedTraining, step: int) -> Tracker:
    """A run of the user's project; WANDB_MODE=offline keeps it in the folder, for `wandb sync`."""
    import wandb

    run = wandb.init(
        project=PROJECT,
        name=training.name,
        group=training.folder.name,
        id=training.id,
        resume="allow",
        reinit="create_new",
        dir=training.folder,
        config=dict(training.settings),
        settings=wandb.Settings(silent=True),
    )
    # wandb's own count of steps only rises, and drops what a resumed run repeats: the step is a figure like others.
    run.define_metric("*", step_metric="step")
    return Tracker(lambda step, figures: run.log({"step": step, **figures}), run.finish)


def _trackio(training: TrackedTraining, step: int) -> Tracker:
    """A run of trackio's local store, or of the Space that TRACKIO_SPACE_ID names."""
    import trackio

    with redirect_stdout(io.StringIO()):  # it says where it writes, and standard output may be JSON
        run = trackio.init(
            project=PROJECT,
            name=f"{training.name}-{training.id[:6]}",
            group=training.folder.name,
            config=dict(training.settings),
            resume="allow",
            embed=False,
        )

    def close() -> None:
        with redirect_stdout(io.StringIO()):
            trackio.finish()  # the module's, after which nothing is left for it to do, and to print, at exit

    return Tracker(lambda step, figures: run.log(dict(figures), step=step), close)


TRACKERS: Final[dict[str, Callable[[TrackedTraining, int], Tracker]]] = {
    "tensorboard": _tensorboard,
    "wandb": _wandb,
    "trackio": _trackio,
}
"""What follows a training, by the name of the package that it needs."""
