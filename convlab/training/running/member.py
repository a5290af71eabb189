"""A member of a comparison under way: one design with one seed, put together for its first step or for the one after a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast, final

import torch
from torch import nn

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.measurement.running.failures import release
from convlab.models.builder import build
from convlab.training.batches.batches import Batches
from convlab.training.batches.order import mixed
from convlab.training.data.datasets import Dataset
from convlab.training.keeping import checkpoints
from convlab.training.keeping.checkpoints import Checkpoint
from convlab.training.keeping.identity import circumstances, identity, note_of, refuse_other
from convlab.training.optimization.averaging import ExponentialAverage
from convlab.training.optimization.optimizers import optimizer
from convlab.training.optimization.schedules import Schedule, schedule
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.arithmetic import autocast, scaler
from convlab.training.running.distributed import Group
from convlab.training.running.divergence import WEIGHT, DivergedError, Watch
from convlab.training.running.fine_tuning import begin_from, origin_of, scale_head
from convlab.training.running.initializing import pass_through
from convlab.training.running.interrupts import Interrupts
from convlab.training.running.micro_batches import MicroBatches, first_size
from convlab.training.running.state import State

if TYPE_CHECKING:
    from convlab.weights.given import Weights

NETWORK: Final = 30
"""What the random numbers of drop path and dropout are drawn for, beside those of ``batches``."""


@final
@dataclass(eq=False)
class Member:
    """Everything that the steps of one training need; only ``state`` and the fields after it change."""

    design: Design
    data: Dataset
    recipe: Recipe
    seed: int
    folder: Path
    group: Group
    weights: Weights | None
    batches: Batches
    schedule: Schedule
    autocast: torch.autocast
    state: State
    micro: MicroBatches
    watch: Watch
    identity: Mapping[str, Any]
    """What decides the weights."""
    interrupts: Interrupts
    checkpoint: Path | None = None
    """The newest whole one."""
    saved_step: int = -1
    saved_at: float = 0.0
    began: float = 0.0
    """Where on the clock the training would have begun, had it never been interrupted."""
    stride: int = 1
    """Steps from one reading of the losses to the next."""
    warm: bool = False
    """Whether this process has taken a step: the first one finds kernels and memory, and its time is not counted in the rate."""

    @property
    def name(self) -> str:
        """What the network is called."""
        return self.design.name or self.design.key[:8]

    @property
    def seconds(self) -> float:
        """Since the training began, without the time in which no process was at it."""
        return time.monotonic() - self.began

    def noise(self, step: int) -> int:
        """The seed of what drop path and dropout draw in a step; each process draws other numbers."""
        return mixed(self.seed, NETWORK, step, self.group.rank)

    def save(self) -> None:
        """Write a checkpoint, where something changed since the last one and no step is half taken.

        Raises ``DivergedError`` for weights that are not finite, and ConvlabError where it cannot be written.
        """
        state = self.state
        if not state.whole or state.step == self.saved_step:
            return
        if name := state.first_not_finite():
            raise DivergedError(state.step - 1, WEIGHT, name)
        state.seconds = self.seconds
        path = self.folder / f"step-{state.step:06d}"
        if self.group.first:
            about = {**self.identity, "micro_batch": self.micro.size, "circumstances": self.circumstances()}
            figures = {**about, **state.figures()}
            path = checkpoints.save(self.folder, state.step, files=state.files(), state=figures)
        self.checkpoint, self.saved_step, self.saved_at = path, state.step, time.monotonic()

    def circumstances(self) -> dict[str, Any]:
        """What may change their last bits."""
        return circumstances(self.group.device, self.group.world)

    def rewind(self) -> None:
        """Become what the newest checkpoint holds; without any, what the first step began with."""
        notes = self.state.notes
        if self.checkpoint is None:
            self.state = fresh(self.design, self.recipe, seed=self.seed, group=self.group, weights=self.weights)
        else:
            self.state.scaler = scaler(self.recipe, self.group.device)  # the old one may be in the midst of a step
            self.state.take(checkpoints.read(self.checkpoint))
        self.state.notes = notes
        size = self.micro.size
        self.micro = MicroBatches(self.state.model, self.state.network, size=size, recipe=self.recipe, group=self.group)
        self.watch = Watch(self.watch.scaled)


def begun(
    design: Design,
    data: Dataset,
    recipe: Recipe,
    *,
    seed: int,
    folder: Path,
    group: Group,
    resume: bool,
    weights: Weights | None,
) -> Member:
    """The member before its next step: the first, or with ``resume`` the one after the newest checkpoint, where there is one.

    Raises ConvlabError where the folder holds a training that is not resumed, or another one.
    """
    if not resume and checkpoints.found(folder):
        help = "--resume goes on from the newest; or name another folder"
        message = f"{quote(str(folder))} holds the checkpoints of a training"
        raise ConvlabError(Problem("already-there", message, help=help), exit_code=2)
    if group.device.type != "cpu":
        release(str(group.device))  # of the member before: what torch keeps for later would not count as free
    size = group.shared(first_size(design, recipe, device=group.device, world=group.world))
    state = fresh(design, recipe, seed=seed, group=group, weights=weights)
    member = Member(
        design,
        data,
        recipe,
        seed,
        folder,
        group,
        weights,
        Batches(data, recipe, seed=seed, device=group.device, rank=group.rank, world=group.world),
        schedule(recipe),
        autocast(recipe, group.device),
        state,
        MicroBatches(state.model, state.network, size=size, recipe=recipe, group=group),
        Watch(scaled=state.scaler.is_enabled()),
        identity(design, recipe, data, seed=seed, weights=origin_of(weights)),
        Interrupts(group),
    )
    if resume:
        _go_on(member)
    member.saved_at = time.monotonic()
    member.began = member.saved_at - member.state.seconds
    return member


def fresh(design: Design, recipe: Recipe, *, seed: int, group: Group, weights: Weights | None) -> State:
    """A network before its first step."""
    model = build(design, device=group.device, channels_last=recipe.channels_last, seed=seed)
    notes: tuple[str, ...] = ()
    if recipe.dirac_depthwise:
        pass_through(model)
    if weights is not None:
        notes = (begin_from(model, weights, head_scale=recipe.head_scale).note,)
    elif recipe.head_scale != 1:
        scale_head(model, recipe.head_scale)
    average = ExponentialAverage(model, recipe.ema) if recipe.ema else None
    network = group.wrapped(cast(nn.Module, torch.compile(model)) if recipe.compile else model)
    moments = optimizer(model, recipe, design)
    return State(model, network, moments, scaler(recipe, group.device), average, notes=notes)


def _go_on(member: Member) -> None:
    """Take the newest checkpoint up; one process chooses it, and all of them read it."""
    chosen: Checkpoint | None = None

    def newest() -> tuple[str, tuple[str, ...]]:
        nonlocal chosen
        checkpoints.clear_unfinished(member.folder)
        chosen, notes = checkpoints.newest(member.folder)
        return chosen.path.name if chosen else "", notes

    name, notes = member.group.decided(newest)
    if not name:
        return
    checkpoint = chosen or checkpoints.read(member.folder / name)
    refuse_other(checkpoint.state, member.identity)
    member.state.take(checkpoint)
    before = {**checkpoint.state["circumstances"], "micro-batch": checkpoint.state["micro_batch"]}
    member.micro.size = min(member.micro.size, before["micro-batch"])
    now = {**member.circumstances(), "micro-batch": member.micro.size}
    other = note_of(before, now, checkpoint.step)
    member.state.notes += (*notes, *filter(None, [other]))
    member.checkpoint, member.saved_step = checkpoint.path, checkpoint.step


def refuse_misfit(design: Design, data: Dataset) -> None:
    """Raise ConvlabError where the design has other channels or classes than the data."""
    for path, has, needs in (
        ("image.channels", design.image.channels, data.channels),
        ("head.classes", design.head.classes, len(data.classes)),
    ):
        if has != needs:
            message = f"{path} is {has}, and {quote(data.name)} has {needs} {path.rpartition('.')[2]}"
            raise ConvlabError(Problem("usage", message, help=f"set {path} = {needs}", path=path), exit_code=2)
