"""Metrics: what a row of the layer table costs. A new metric is one function with ``@metric``; its total is the sum over rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from convlab.layers import Row
from convlab.layers.pooling import AveragePool, MaxPool


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of one layer, for one image; the figure of a network is its sum over all layers."""

    name: str
    unit: str
    help: str
    of_row: Callable[[Row], int]


METRICS: dict[str, Metric] = {}


def metric(unit: str, help: str) -> Callable[[Callable[[Row], int]], Callable[[Row], int]]:
    """Declare a function of a row as the metric of its name."""

    def declare(of_row: Callable[[Row], int]) -> Callable[[Row], int]:
        name = of_row.__name__
        METRICS[name] = Metric(name, unit, help, of_row)
        return of_row

    return declare


@metric("parameters", "trainable parameters")
def params(row: Row) -> int:
    """Trainable parameters."""
    return row.layer.params(row.input)


@metric("multiply-adds", "multiply-adds of convolutions and linear layers")
def macs(row: Row) -> int:
    """Multiply-adds."""
    return row.layer.macs(row.input)


@metric("operations", "floating-point operations: two a multiply-add")
def flops(row: Row) -> int:
    """Floating-point operations, two a multiply-add."""
    return 2 * row.layer.macs(row.input)


@metric(
    "elements",
    "outputs of convolutions and linear layers (fvcore's and the RegNet paper's activations)",
)
def activations(row: Row) -> int:
    """Outputs of the layers that multiply."""
    return row.layer.activations(row.input)


@metric("elements", "outputs of convolutions, linear layers and pools (pycls counts these)")
def activations_with_pools(row: Row) -> int:
    """Outputs of the layers that multiply and of pools."""
    pooled = row.output.elements if isinstance(row.layer, MaxPool | AveragePool) else 0
    return row.layer.activations(row.input) + pooled


@metric("elements", "outputs of all layers, norms and activation functions included")
def outputs(row: Row) -> int:
    """Outputs of every layer."""
    return row.output.elements
