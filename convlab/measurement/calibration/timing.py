"""The time of one probe: a layer by itself, run as it runs within a network."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple, final

import torch
from torch import Tensor, nn

from convlab.layers import Activation, Gate, Layer, LayerScale, Linear, Parallel, Residual, Shape, Split
from convlab.measurement.calibration.probes import Probe
from convlab.measurement.running.clocks import Clock
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.precision import arithmetic
from convlab.models.containers import ChannelSplit, ResidualBlock
from convlab.prediction.calls import IMAGE_CHANNELS

ROUNDS = 5
"""Rounds that count; one before them does not."""

TILE = 2**16
"""Random numbers that fill maps again and again."""

SMALL = 16
"""Side of the small map."""

AHEAD_CYCLES = 20_000_000
"""So long a GPU sleeps before a round, some 10 ms: the host runs ahead, so that events tell the GPU's time and not the host's."""


@final
class _Factor(nn.Module):
    """One factor a channel that comes from elsewhere."""

    def forward(self, x: Tensor, factor: Tensor) -> Tensor:
        return x * factor


@final
class _Branches(nn.Module):
    """The end of parallel branches, each of which gave a map of its own."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.add(x, y)


@final
class _Sum(nn.Module):
    """The end of a residual block, whose branch gave a map of its own."""

    def __init__(self, channels: int | None) -> None:
        super().__init__()
        self.block = ResidualBlock({}, None if channels is None else torch.ones(channels), None, None, {})
        self.block.gives_own_map, self.block.keeps_output = True, False

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.block.sum(x, y)


@final
class _Scale(nn.Module):
    """A layer scale as residual blocks have it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma.view(1, -1, 1, 1)


def module_of(tree: Layer, x: Shape) -> nn.Module:
    """The module of a probe's layer, its weights small random numbers."""
    match tree:
        case Residual():
            return _Sum(None if tree.scale is None else x.channels)
        case Activation() if tree.writes_over():
            return tree.module_in_place()
        case Gate():
            return _Factor()
        case Parallel():
            return _Branches()
        case Split():
            return _halves()
        case LayerScale():
            return _Scale(x.channels)
        case _:
            return tree.module(x)


def _halves() -> nn.Module:
    split = ChannelSplit(2)
    for name in ("0", "1"):
        split.add_module(name, nn.Identity())
    return split


@final
class Station:
    """A probe ready to run. Its maps come and go: in a network memory that a layer gives back serves the next one, still near."""

    def __init__(self, probe: Probe, conditions: Conditions) -> None:
        self.probe = probe
        self._conditions = conditions
        self._trains = conditions.task == "training"
        dtype = torch.float32 if self._trains else conditions.torch_dtype
        self._module = _placed(module_of(probe.tree, probe.input), conditions, dtype)
        self._twin = _placed(module_of(probe.tree, probe.input), conditions, dtype)
        self._tile = torch.randn(TILE).to(conditions.device, dtype)
        self._autocast = torch.autocast(
            torch.device(conditions.device).type,
            conditions.torch_dtype,
            enabled=self._trains and conditions.dtype in ("bfloat16", "float16"),
            cache_enabled=False,
        )
        self._maps: list[Tensor] = []
        self._output: Tensor | None = None
        with torch.no_grad(), self._autocast:
            result = self._module(*self._inputs())
            self._small = [x[:1, :, :SMALL, :SMALL].clone() if x.dim() == 4 else x[:1].clone() for x in self._inputs()]
        self._result = torch.empty_like(result, device="meta")

    def forward(self, clock: Clock) -> float:
        """Run the layer between two marks; the host's seconds.

        Before, its input is written, as by the layer before it, and a twin with weights of its own has run on a small map: in a
        network the code of a layer has been used a moment ago, its weights have not.
        """
        with torch.no_grad(), self._autocast:
            self._twin(*self._small)
        given_back = torch.zeros(self._result.shape, dtype=self._result.dtype, device=self._tile.device)
        self._maps = self._inputs()
        if self._trains:
            self._maps = [self._traced(leaf) for leaf in self._maps]
        del given_back
        clock.mark()
        began = time.perf_counter()
        if self._trains:
            with self._autocast:
                self._output = self._module(*self._maps)
        else:
            self._module(*self._maps)
        issued = time.perf_counter() - began
        clock.mark()
        if not self._trains:
            self._maps = []
        return issued

    def backward(self, clock: Clock) -> float:
        """Run the layer's backward pass between two marks; the host's seconds. Before, its gradient is written."""
        assert self._output is not None
        given_back = torch.zeros_like(self._maps[0])
        gradient = torch.full_like(self._output, 1e-3)
        del given_back
        clock.mark()
        began = time.perf_counter()
        torch.autograd.backward(self._output, gradient)
        issued = time.perf_counter() - began
        clock.mark()
        self._output, self._maps = None, []
        for weight in self._module.parameters():
            weight.grad = None
        return issued

    def _traced(self, leaf: Tensor) -> Tensor:
        """A map that a gradient is wanted for; where it is to be written over, the output of an operation that has next to none."""
        leaf.requires_grad_(self.probe.input.channels > IMAGE_CHANNELS)
        return leaf + 0.0 if isinstance(self.probe.tree, Residual | Activation) else leaf

    def _inputs(self) -> list[Tensor]:
        """Freshly written maps of random numbers."""
        batch, (channels, height, width) = self.probe.batch, self.probe.input
        if isinstance(self.probe.tree, Linear):
            return [self._written(batch * channels).view(batch, channels)]
        flat = self._written(batch * channels * height * width)
        if self._conditions.channels_last:
            made = flat.view(batch, height, width, channels).permute(0, 3, 1, 2)
        else:
            made = flat.view(batch, channels, height, width)
        if isinstance(self.probe.tree, Residual | Parallel):
            return [made, made.clone()]
        if not isinstance(self.probe.tree, Gate):
            return [made]
        return [made, self._written(batch * channels).view(batch, channels, 1, 1)]

    def _written(self, elements: int) -> Tensor:
        rows = -(-elements // TILE)
        space = torch.empty(rows, TILE, dtype=self._tile.dtype, device=self._tile.device)
        return space.copy_(self._tile).view(-1)[:elements].detach()


class Timed(NamedTuple):
    """A probe and how long it took, in training forward and backward together; ``issue`` is the host's part where a GPU does the work."""

    probe: Probe
    seconds: float
    issue: float


def seconds(probes: Sequence[Probe], conditions: Conditions, clock: Clock, rounds: int = ROUNDS) -> list[Timed]:
    """Medians over rounds in which all probes run in turn, as layers of a network do."""
    stations = [Station(probe, conditions) for probe in probes]
    with arithmetic(conditions), torch.inference_mode(conditions.task == "inference"):
        samples = [_round(stations, conditions, clock) for _ in range(1 + rounds)][1:]
    found = []
    for station, laps in zip(stations, zip(*samples, strict=True), strict=True):
        device, issue = (statistics.median(each) for each in zip(*laps, strict=True))
        found.append(Timed(station.probe, device, issue))
    return found


def _round(stations: list[Station], conditions: Conditions, clock: Clock) -> list[tuple[float, float]]:
    """Seconds of each probe, on the device and, where that is a GPU, of the host asking for the work."""
    on_gpu = conditions.device.startswith("cuda")
    if on_gpu:
        torch.cuda._sleep(AHEAD_CYCLES)  # type: ignore[no-untyped-call]
    issued = [station.forward(clock) for station in stations]
    if conditions.task == "training":
        backward = [station.backward(clock) for station in reversed(stations)]
        issued = [one + other for one, other in zip(issued, reversed(backward), strict=True)]
    laps = clock.read()[::2]
    forward = laps[: len(stations)]
    if conditions.task == "training":
        later = reversed(laps[len(stations) :])
        forward = tuple(one + other for one, other in zip(forward, later, strict=True))
    return [(lap, issue if on_gpu else 0.0) for lap, issue in zip(forward, issued, strict=True)]


def _placed(module: nn.Module, conditions: Conditions, dtype: torch.dtype) -> nn.Module:
    module = module.train(conditions.task == "training").to(conditions.device, dtype)
    return module.to(memory_format=conditions.memory_format)
