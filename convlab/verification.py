"""Our counts beside those of torch, fvcore and torchinfo: every difference by its cause and amount, exact to the unit."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

from convlab import __version__
from convlab.costs import Profile, profile
from convlab.language.design import Design
from convlab.language.turning import turn
from convlab.language.validation import validated
from convlab.layers import (
    Attention,
    BatchNorm,
    Convolution,
    Depthwise,
    GlobalResponseNorm,
    GroupNorm,
    LayerNorm,
    Linear,
    Pointwise,
    RMSNorm,
    Row,
    Shape,
)

if TYPE_CHECKING:
    from torch import nn

Metric = Literal["params", "macs", "activations"]
METRICS: tuple[Metric, ...] = ("params", "macs", "activations")

UNEXPLAINED = "unexplained"


@final
@dataclass(frozen=True)
class Tool:
    """What a tool counts for one image at inference; None where it does not count that."""

    name: str
    version: str
    params: int | None
    macs: int | None
    activations: int | None


@final
@dataclass(frozen=True)
class Difference:
    """By how much a tool's count lies above ours, and why."""

    tool: str
    metric: Metric
    amount: int
    cause: str


@final
@dataclass(frozen=True)
class Reconciliation:
    """Our counts, those of the tools, and everything that lies between."""

    design: Design
    image: Shape
    ours: Tool
    tools: tuple[Tool, ...]
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing is unexplained; between torch's own counts and ours nothing may be explained away."""
        return all(difference.cause != UNEXPLAINED for difference in self.differences)


def verify(design: Design, *, image: int | tuple[int, int] | None = None) -> Reconciliation:
    """Count a design with every tool, for its own image size or another one (pixels).

    fvcore runs the model on the CPU, the others on torch's meta device. Raises ConvlabError where the design is not valid or
    the memory does not hold it.
    """
    if image is not None:
        design = turn(design, "image.size", image)
    counted = profile(validated(design))
    _refuse_too_big(counted)
    ours = Tool("convlab", __version__, counted.params, counted.macs, counted.activations)
    with _quiet():
        tools = (_torch(design), _fvcore(design), _torchinfo(design))
    differences = tuple(
        difference for tool in tools for metric in METRICS for difference in _between(ours, tool, metric, counted.rows)
    )
    return Reconciliation(design, counted.image, ours, tools, differences)


def _refuse_too_big(counted: Profile) -> None:
    """Before any tool runs: fvcore needs the whole model in memory."""
    import torch

    from convlab.models.memory import refuse_too_big

    refuse_too_big(counted, torch.device("cpu"), torch.float32)


def _between(ours: Tool, tool: Tool, metric: Metric, rows: tuple[Row, ...]) -> Iterator[Difference]:
    theirs, own = getattr(tool, metric), getattr(ours, metric)
    if theirs is None:
        return
    rest = theirs - own
    for cause, of_row in _CAUSES.get((tool.name, metric), ()):
        amount = sum(of_row(row) * row.count for row in rows)
        rest -= amount
        if amount:
            yield Difference(tool.name, metric, amount, cause)
    if rest:
        yield Difference(tool.name, metric, rest, UNEXPLAINED)


Amount = Callable[[Row], int]


def _elements(norm: type, factor: int) -> Amount:
    return lambda row: factor * row.output.elements if isinstance(row.layer, norm) else 0


def _is_linear(row: Row) -> bool:
    """Whether a layer is an ``nn.Linear``, on a vector or over a map."""
    return isinstance(row.layer, Linear) or (isinstance(row.layer, Pointwise) and row.layer.form == "linear")


def _biases(row: Row) -> int:
    multiplying = isinstance(row.layer, Convolution | Depthwise | Pointwise | Linear)
    return row.output.channels if multiplying and getattr(row.layer, "bias", False) else 0


def _lost_positions(row: Row) -> int:
    macs = row.layer.macs(row.input)
    return macs // row.output.positions - macs if _is_linear(row) else 0


def _biases_of_maps(row: Row) -> int:
    return 0 if _is_linear(row) else _biases(row) * row.output.positions


def _biases_of_vectors(row: Row) -> int:
    return _biases(row) if _is_linear(row) else 0


def _products_of_attention(row: Row) -> int:
    if not isinstance(row.layer, Attention):
        return 0
    tiling = row.layer.tiling(row.input)
    return -2 * tiling.padded * tiling.pixels * row.input.channels


def _lost_in_attention(row: Row) -> int:
    """The projections, with their biases, are counted once a window; what they project and the products are not."""
    if not isinstance(row.layer, Attention):
        return 0
    channels = row.input.channels
    weights = 4 * channels * channels + channels * (4 if row.layer.bias else 1)
    return row.layer.tiling(row.input).windows * weights - row.layer.macs(row.input)


def _params_of_norms(row: Row) -> int:
    norms = BatchNorm | LayerNorm | GroupNorm | RMSNorm | GlobalResponseNorm
    return row.layer.params(row.input) if isinstance(row.layer, norms) else 0


_CAUSES: dict[tuple[str, Metric], tuple[tuple[str, Amount], ...]] = {
    ("fvcore", "macs"): (
        ("batch norms: 2 operations an element", _elements(BatchNorm, 2)),
        ("layer norms: 5 operations an element", _elements(LayerNorm, 5)),
        ("group norms: 5 operations an element", _elements(GroupNorm, 5)),
        ("attention: its two products are not counted", _products_of_attention),
    ),
    ("torchinfo", "macs"): (
        ("linear layers over maps: counted at one position instead of all", _lost_positions),
        ("attention: projections counted at one position a window, the two products not at all", _lost_in_attention),
        ("biases of convolutions: 1 a position and channel", _biases_of_maps),
        ("biases of linear layers: 1 a channel", _biases_of_vectors),
        ("norms: their parameters, once", _params_of_norms),
    ),
}
"""What the tools count otherwise than we do, as their sources have it (fvcore 0.1.5.post20221221, torchinfo 1.8.0)."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings that the tools give on import and while they trace."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _model(design: Design, device: str) -> nn.Module:
    from convlab.models import build

    return build(design, device=device, initialized=False).eval()


def _images(design: Design, device: str) -> Any:
    import torch

    return torch.zeros(1, *design.image.shape, device=device)


def _torch(design: Design) -> Tool:
    """Torch's own counter, which sees every convolution and matrix product that runs."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    model = _model(design, "meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(_images(design, "meta"))
    params = sum(parameter.numel() for parameter in model.parameters())
    return Tool("torch", str(torch.__version__), params, counter.get_total_flops() // 2, None)


def _fvcore(design: Design) -> Tool:
    """What fvcore counts comes from a trace of real tensors: torch's tracer does not work on the meta device."""
    from importlib.metadata import version

    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count

    model, images = _model(design, "cpu"), _images(design, "cpu")
    totals = []
    for analysis in (FlopCountAnalysis(model, images), ActivationCountAnalysis(model, images)):
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        totals.append(int(analysis.total()))
    return Tool("fvcore", version("fvcore"), int(parameter_count(model)[""]), *totals)


def _torchinfo(design: Design) -> Tool:
    import torchinfo

    summary = torchinfo.summary(
        _model(design, "meta"), input_data=_images(design, "meta"), device="meta", verbose=0, col_names=()
    )
    return Tool("torchinfo", torchinfo.__version__, summary.total_params, summary.total_mult_adds, None)
