"""Published figures with their sources: one function a table, which reads the CSV file beside this module once.

README.md in this folder says what each table holds and where its figures come from.
"""

import csv
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import TypeVar, get_args, get_type_hints

from convlab.facts.records import DownstreamResult, PublishedModel, RoadmapStep, RobustnessResult, TimmCost

__all__ = [
    "DownstreamResult",
    "PublishedModel",
    "RoadmapStep",
    "RobustnessResult",
    "TimmCost",
    "downstream",
    "models",
    "roadmap",
    "robustness",
    "timm_costs",
]

Record = TypeVar("Record")

READERS: Mapping[object, Callable[[str], object]] = {
    str: str,
    int: int,
    float: float,
    bool: {"yes": True, "no": False}.__getitem__,
    tuple[int, ...]: lambda text: tuple(int(part) for part in text.split("-")),
}


@cache
def roadmap() -> tuple[RoadmapStep, ...]:
    """The walk from ResNet-50 to ConvNeXt-T in order, then Swin-T for reference (Liu et al., 2022, Table 10)."""
    return _table("roadmap.csv", RoadmapStep)


@cache
def models() -> tuple[PublishedModel, ...]:
    """Published models: parameters, multiply-adds, throughput with its device, ImageNet-1K top-1."""
    return _table("models.csv", PublishedModel)


@cache
def timm_costs() -> tuple[TimmCost, ...]:
    """Costs of timm's models from its result files: parameters, multiply-adds, activations, throughput."""
    return _table("timm_costs.csv", TimmCost)


@cache
def downstream() -> tuple[DownstreamResult, ...]:
    """Detection on COCO, segmentation on ADE20K, and training memory."""
    return _table("downstream.csv", DownstreamResult)


@cache
def robustness() -> tuple[RobustnessResult, ...]:
    """Accuracy and error on ImageNet-C, C-bar, A, R and Sketch (Liu et al., 2022, Table 8)."""
    return _table("robustness.csv", RobustnessResult)


def _table(name: str, record: Callable[..., Record]) -> tuple[Record, ...]:
    kinds = get_type_hints(record)
    header, *rows = csv.reader(files(__name__).joinpath(name).read_text(encoding="utf-8").splitlines())
    assert header == list(kinds), f"{name}: the columns {header} are not the fields {list(kinds)}"
    return tuple(record(*map(_value, row, kinds.values())) for row in rows)


def _value(text: str, kind: object) -> object:
    """The typed value of a cell. An empty cell is None where the field allows it and a ValueError where it does not."""
    if type(None) not in get_args(kind):
        if not text:
            raise ValueError(f"an empty cell for a field of type {kind}")
        return READERS[kind](text)
    return READERS[get_args(kind)[0]](text) if text else None
