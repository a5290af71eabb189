"""What ``bench`` is asked for: its arguments read, checked and put together, before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, final

from convlab.cli.arguments import BATCH, choice_of, design_of, figure_of, number_of, size_of
from convlab.errors import ConvlabError, Problem, quote
from convlab.language.knobs import Knob
from convlab.measurement.benchmarking import refuse_folded_training
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.conditions import DTYPES, MODES, TASKS, Conditions, checked
from convlab.measurement.running.packages import PACKAGES
from convlab.measurement.running.subjects import Subject, subject

if TYPE_CHECKING:
    from convlab.cli.output import Output

THREADS = Knob("threads", "option", "integer", 0, "threads of the CPU", low=1, high=4096)
SECONDS = Knob("seconds", "option", "number", 10.0, "seconds for each network", low=0.1, high=86_400)
ROUNDS = Knob("rounds", "option", "integer", 12, "rounds, no more and no less", low=1, high=100_000)
PRECISION = Knob("precision", "option", "number", 0.5, "percent at which measuring ends", low=0.01, high=50)

BATCH_ON_CPU, BATCH_ON_GPU = 8, 128
"""The batch where none is asked for: what keeps the device busy."""


@final
@dataclass(frozen=True)
class Given:
    """The options as they were written; None where they were not."""

    designs: Sequence[str]
    against: Sequence[str]
    sets: Sequence[str]
    image: str | None
    folded: bool
    task: str
    batch: str | None
    device: str | None
    dtype: str | None
    channels_last: bool | None
    mode: str | None
    cuda_graphs: bool | None
    threads: str | None
    seconds: str | None
    rounds: str | None
    precision: str | None


@final
@dataclass(frozen=True)
class Request:
    """What is to be measured, how, and which axes of a matrix are told."""

    subjects: tuple[Subject, ...]
    against: tuple[Subject, ...]
    conditions: tuple[Conditions, ...]
    """One for each task."""
    protocol: Protocol
    fixed: tuple[str, ...]
    sets: tuple[str, ...] = ()


def request(output: Output, given: Given, what: str) -> Request:
    """What the options ask for; ``what`` is measured. Raises ConvlabError."""
    if given.task == "both" and what in ("sweep", "latency", "layers"):
        problem = Problem("usage", f"--{what} is of one task", help="--task inference, or --task training")
        raise ConvlabError(problem, exit_code=2)
    if given.batch is not None and what == "sweep":
        problem = Problem("usage", "--sweep goes through the batches by itself", help="leave --batch out")
        raise ConvlabError(problem, exit_code=2)
    conditions = _conditions(output, given, one_image=what == "latency")
    if what != "matrix":  # which leaves out what this device cannot do
        conditions = tuple(checked(each) for each in conditions)
    subjects, against = _subjects(given)
    _refuse_twice((*subjects, *against))
    for each in conditions:
        refuse_folded_training(subjects, each.task)
    axes = {
        "dtype": given.dtype,
        "mode": given.mode,
        "channels_last": given.channels_last,
        "cuda_graphs": given.cuda_graphs,
    }
    fixed = tuple(name for name, value in axes.items() if value is not None)
    return Request(subjects, against, conditions, _protocol(given), fixed, tuple(given.sets))


def _conditions(output: Output, given: Given, *, one_image: bool) -> tuple[Conditions, ...]:
    tasks = TASKS if given.task == "both" else (choice_of("task", given.task, (*TASKS, "both")),)
    dtype = None if given.dtype is None else choice_of("dtype", given.dtype, DTYPES)
    settings = output.settings(channels_last=given.channels_last)
    batch = number_of(BATCH, given.batch)
    found = checked(Conditions(device=given.device or settings.device))
    if given.batch is None and not one_image:
        batch = BATCH_ON_CPU if found.device == "cpu" else BATCH_ON_GPU
    found = replace(
        found,
        dtype=dtype or settings.dtype,
        channels_last=settings.channels_last,
        mode="eager" if given.mode is None else choice_of("mode", given.mode, MODES),
        cuda_graphs=bool(given.cuda_graphs),
        batch=batch,
        threads=number_of(THREADS, given.threads) or found.threads,
    )
    return tuple(replace(found, task=task) for task in tasks)


def _subjects(given: Given) -> tuple[tuple[Subject, ...], tuple[Subject, ...]]:
    ours = tuple(_subject(name, given, turned=True) for name in given.designs)
    return ours, tuple(_subject(name, given, turned=False) for name in given.against)


def _subject(name: str, given: Given, *, turned: bool) -> Subject:
    """A network by name. Only what is measured is turned and folded; what it is compared with stays as it is."""
    size = None if given.image is None else size_of(given.image)
    image = (size, size) if isinstance(size, int) else size
    if name.partition(":")[0] in PACKAGES:
        return subject(name, image=image)
    if not name.strip() and not turned:
        help = "a design, timm:NAME, torchvision:NAME or transformers:TYPE"
        raise ConvlabError(Problem("usage", "--against names nothing", help=help), exit_code=2)
    if ":" in name and "/" not in name:
        return subject(name, image=image)  # which tells the packages that there are
    design = design_of(name, given.sets if turned else None, given.image)
    marks = [word for word, is_so in (("turned", given.sets), ("folded", given.folded)) if is_so and turned]
    label = f"{design.name} ({', '.join(marks)})" if marks else design.name
    return subject(design, folded=given.folded and turned, name=label)


def _refuse_twice(subjects: Sequence[Subject]) -> None:
    """Raise ConvlabError where two networks are the same: a difference between them would be noise."""
    for one, other in combinations(subjects, 2):
        if _identity(one) == _identity(other):
            pair = f"{quote(one.name)} and {quote(other.name)} are"
            names = f"{quote(one.name)} twice is" if one.name == other.name else pair
            message = f"{names} the same network: what differs would be noise"
            help = "turn a knob with --set, or name another network with --against"
            raise ConvlabError(Problem("usage", message, help=help), exit_code=2)


def _identity(subject: Subject) -> tuple[object, ...]:
    """What makes two subjects the same network."""
    key = subject.name if subject.design is None else subject.design.key
    return subject.package, key, subject.folded, subject.image


def _protocol(given: Given) -> Protocol:
    usual = Protocol()
    precision = figure_of(PRECISION, given.precision) / 100
    if given.rounds is not None:
        rounds = number_of(ROUNDS, given.rounds)
        return replace(usual, least_rounds=rounds, most_rounds=rounds, precision=0.0, seconds=SECONDS.high or 0.0)
    return replace(usual, seconds=figure_of(SECONDS, given.seconds), precision=precision)
