"""Law: a design is valid exactly where torch can build and run it; what groups do not divide, torch refuses."""

import dataclasses
import random

import pytest
import torch
from designs import NAMED_KINDS, SWEEP, swept, turned
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import image_of

from convlab import build
from convlab.costs import cost
from convlab.language.blocks import ORDERS
from convlab.language.design import lower
from convlab.language.validation import faults


def torch_accepts(design):
    """Whether every layer can be made for the shape that comes in."""
    try:
        with torch.device("meta"):
            for row in cost(design, lower(design), design.image.shape).rows:
                if row.layer.multiplies:
                    row.layer.module(row.input)
    except (ValueError, RuntimeError):
        return False
    return True


def check(design):
    found = faults(design)
    if not found:
        with torch.no_grad():
            build(design, device="meta", initialized=False)(image_of(design, device="meta"))
    elif all(fault.code == "groups-do-not-divide" and fault.path.endswith(".groups") for fault in found):
        assert not torch_accepts(design)
    return not found


@settings(max_examples=200)
@given(
    kind=st.sampled_from(NAMED_KINDS),
    order=st.sampled_from(tuple(ORDERS)),
    groups=st.sampled_from((1, 2, 3, 4, 6, 8, "depthwise")),
    group_width=st.sampled_from((0, 0, 4, 6, 8, 16)),
    ratio=st.sampled_from((0.25, 0.5, 0.75, 1.0, 1.5, 2.0)),
    of=st.sampled_from(("input", "output")),
    widths=st.tuples(*[st.sampled_from((8, 12, 16, 24, 32, 48))] * 2),
    downsample=st.sampled_from(("in_block", "separate")),
)
def test_groups(kind, order, groups, group_width, ratio, of, widths, downsample):
    block = {"kind": kind, "order": order, "groups": groups, "group_width": group_width, "expansion_ratio": ratio}
    table = {"depths": [1, 1], "widths": list(widths), "image": {"size": 32}, "head": {"classes": 2}}
    table |= {"block": block | {"expansion_of": of}, "downsample": {"kind": downsample}}
    check(turned(table))


def test_both_sides_are_met():
    """Of designs with widths at random, some are valid and some are not, and the law tells them apart."""
    draw, found = random.Random(0), []
    for name in list(SWEEP)[::4]:
        design = swept(name)
        stages = tuple(
            dataclasses.replace(stage, width=stage.width + draw.choice((0, 1, 3))) for stage in design.stages
        )
        found.append(check(dataclasses.replace(design, stages=stages)))
    assert min(found.count(True), found.count(False)) > 8


@pytest.mark.parametrize(("size", "valid"), [(31, False), (32, True)])
def test_a_map_that_vanishes(size, valid):
    design = turned({"depths": [1, 1, 1, 1], "widths": 8, "image": {"size": size}})
    design = dataclasses.replace(design, stages=tuple(dataclasses.replace(stage, width=8) for stage in design.stages))
    assert check(design) == valid
    if not valid:
        assert [fault.code for fault in faults(design)] == ["map-vanishes"]
