"""Several processes that train one network together, as torchrun starts them: who this process is, and what they do as one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar, cast, final

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from convlab.errors import ConvlabError, Problem
from convlab.models.builder import available

Value = TypeVar("Value")


@final
@dataclass(frozen=True, slots=True)
class Group:
    """The processes that train together, seen by one of them; alone, every method does nothing and costs nothing.

    Every process holds the whole network and sees its own share of each batch. All of them call the same methods in the same order.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the process that writes checkpoints, stores rows and prints."""
        return self.rank == 0

    def wrapped(self, model: nn.Module) -> nn.Module:
        """The network to call in a training step: its gradients are means over the processes, its weights begin as the first one's.

        Batch norm: a process sees a part of the batch, so its own statistics would make the result, and with it the verdict on a norm,
        depend on the number of processes. On a GPU batch norms are therefore synchronised (in place, under the same names). torch has
        that for no CPU: there they normalise by their process's share, and the first one's running statistics are kept.
        """
        if self.world == 1:
            return model
        if self.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=devices, gradient_as_bucket_view=True)

    def accumulating(self, model: nn.Module, *, last: bool) -> AbstractContextManager[None]:
        """Around forward and backward of a micro-batch: gradients travel with the last one of a step only."""
        if last or not isinstance(model, DistributedDataParallel):
            return nullcontext()
        return model.no_sync()

    def mean(self, tensor: Tensor) -> Tensor:
        """The mean of every process's tensor of one shape: the loss of a batch that was shared out evenly."""
        if self.world == 1:
            return tensor
        total = tensor.detach().clone()
        distributed.all_reduce(total)
        return total / self.world

    def any(self, said: bool) -> bool:
        """Whether any process says so: what ends a step for one of them has to end it for all, or the others wait for ever."""
        if self.world == 1:
            return said
        return bool(self.mean(torch.tensor(float(said), device=self.device)))

    def shared(self, value: Value) -> Value:
        """The first process's value, in all of them: a name that holds the time, a seed, a decision."""
        if self.world == 1:
            return value
        box: list[Any] = [value]
        distributed.broadcast_object_list(box, src=0, device=self.device)
        return box[0]  # type: ignore[no-any-return]

    def decided(self, ask: Callable[[], Value]) -> Value:
        """What the first process finds, in all of them; its ConvlabError is raised in all, so that none waits for it."""
        if self.world == 1:
            return ask()
        found: Value | None = None
        refusal: ConvlabError | None = None
        if self.first:
            try:
                found = ask()
            except ConvlabError as error:
                refusal = error
        found, refusal = self.shared((found, refusal))
        if refusal is not None:
            raise refusal
        return cast(Value, found)

    def barrier(self) -> None:
        """Wait until all processes are here."""
        if self.world > 1:
            distributed.barrier()


ALONE = Group(0, 1, torch.device("cpu"))
"""A process by itself, on the CPU."""


def launched() -> bool:
    """Whether torchrun, or a launcher that speaks as it does, started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_first() -> bool:
    """Whether this process is the one that speaks; known before any group is joined, and without torch's help."""
    return os.environ.get("RANK", "0") == "0" or not launched()


@contextmanager
def joined(device: str | torch.device = "auto") -> Iterator[Group]:
    """The group of processes that this one belongs to, left at the end; one that was joined before is used and not left.

    Processes talk by NCCL where they have GPUs, one each, and by gloo otherwise. Raises ConvlabError where there are more processes
    on this machine than GPUs.
    """
    place = available(device)
    if not launched() and not distributed.is_initialized():
        yield Group(0, 1, place)
        return
    place = _own_device(place)
    if distributed.is_initialized():
        yield Group(distributed.get_rank(), distributed.get_world_size(), place)
        return
    if place.type == "cuda":
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield Group(distributed.get_rank(), distributed.get_world_size(), place)
    finally:
        distributed.destroy_process_group()


def _own_device(place: torch.device) -> torch.device:
    """The device of this process among those of its machine."""
    if place.type == "cpu":
        return place
    index = int(os.environ.get("LOCAL_RANK", "0"))
    there = torch.cuda.device_count() if place.type == "cuda" else 1
    if index >= there:
        processes = os.environ.get("LOCAL_WORLD_SIZE", str(index + 1))
        problem = Problem(
            "usage",
            f"{processes} processes were started on this machine, which has {there} device{'s' * (there != 1)} of kind {place.type}",
            help=f"torchrun --nproc-per-node {there}, or --device cpu",
        )
        raise ConvlabError(problem, exit_code=2)
    return torch.device(place.type, index) if place.type == "cuda" else place
