"""Subjects: what can be measured. A design, a network of another package by name, or a module of the user's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

from torch import nn

from convlab.costs import profile
from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.language.files import load
from convlab.language.turning import turn
from convlab.layers import Shape
from convlab.measurement.running.packages import PACKAGES
from convlab.models import build, fold


@final
@dataclass(frozen=True)
class Subject:
    """A network that can be made: its name, the image that it takes, and how it is built (on the CPU, in training mode)."""

    name: str
    package: str
    image: Shape
    build: Callable[[], nn.Module] = field(compare=False, repr=False)
    design: Design | None = None
    folded: bool = False


def subject(
    source: str | Design | Subject, *, image: tuple[int, int] | None = None, folded: bool = False, name: str = ""
) -> Subject:
    """The subject of a design, of a preset's or file's name, or of ``timm:NAME``, ``torchvision:NAME``, ``transformers:NAME``.

    ``image`` is height and width in px; ``folded`` folds a design for inference. Raises ConvlabError.
    """
    if isinstance(source, Subject):
        return source
    if isinstance(source, Design):
        return _of_design(source, image, folded, name)
    if not source.strip():
        help = "a preset, a design's file, or PACKAGE:NAME, such as timm:resnet50"
        raise ConvlabError(Problem("unknown-network", "the name of a network is empty", help=help), exit_code=2)
    package, separator, rest = source.partition(":")
    if separator and package in PACKAGES:
        found = PACKAGES[package](rest, image)
        return Subject(name or source, package, found.image, found.build)
    if separator and package.isidentifier() and "/" not in package and len(package) > 1:
        help = f"packages: {', '.join(PACKAGES)}; without a colon it is a design"
        raise ConvlabError(Problem("unknown-network", f"unknown package {quote(package)}", help=help), exit_code=2)
    return _of_design(load(source), image, folded, name)


def module_subject(make: Callable[[], nn.Module], *, name: str, image: Shape) -> Subject:
    """The subject of a function that makes a module, whose output is a tensor of scores or an object with ``logits``."""
    return Subject(name, "module", image, make)


def _of_design(design: Design, image: tuple[int, int] | None, folded: bool, name: str) -> Subject:
    design = design if image is None else turn(design, "image.size", list(image))
    shape = profile(design).image

    def make() -> nn.Module:
        model = build(design, seed=0)
        return fold(model.eval()) if folded else model

    return Subject(name or design.name, "convlab", shape, make, design, folded)


def params_and_macs(given: Subject) -> tuple[int, int]:
    """Parameters, and multiply-adds for one image at inference: ours for a design, torch's counter's for other networks."""
    if given.design is not None:
        found = profile(given.design, folded=given.folded)
        return found.params, found.macs
    model = given.build().eval()
    return _params(model), _macs(model, given.image)


def known_counts(given: Subject) -> tuple[int | None, int | None]:
    """As ``params_and_macs``; None for what a network without a design does not let itself be counted for, whatever it raises."""
    if given.design is not None:
        return params_and_macs(given)
    try:
        model = given.build().eval()
    except Exception:
        return None, None
    try:
        return _params(model), _macs(model, given.image)
    except Exception:
        return _params(model), None


def _params(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _macs(model: nn.Module, image: Shape) -> int:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    counter: Any = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        model.to("meta")(torch.empty(1, *image, device="meta"))
    return int(counter.get_total_flops()) // 2
