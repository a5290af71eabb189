"""Law: arrays in the places of sizes give, member by member, what single designs give; by the same lines, to the unit."""

import dataclasses
import random
from itertools import pairwise

import numpy as np
import pytest
from designs import SWEEP, designs, swept
from hypothesis import given, settings
from hypothesis import strategies as st

from convlab.costs import part_cost, peak_elements, profile, receptive_field
from convlab.language.design import lower, lower_population
from convlab.language.validation import faults
from convlab.metrics import METRICS


def stacked(values):
    """Values of one structure as one: numbers that differ become an array."""
    first = values[0]
    if all(value == first for value in values):
        return first
    if dataclasses.is_dataclass(first):
        fields = [field.name for field in dataclasses.fields(first)]
        return dataclasses.replace(
            first, **{name: stacked([getattr(value, name) for value in values]) for name in fields}
        )
    if isinstance(first, tuple):
        return tuple(stacked(items) for items in zip(*values, strict=True))
    assert all(type(value) is type(first) and type(value) in (int, float) for value in values), values
    return np.array(values)


def member(design, draw):
    """The design with other sizes: equal widths stay equal, what is 0 stays 0."""
    factor = draw.choice((1, 1, 2, 3, 5))
    stages = []
    for stage in design.stages:
        block = stage.block
        changes = {"kernel_size": draw.randint(1, 9)}
        if block.squeeze_ratio:
            changes["squeeze_ratio"] = draw.choice((0.1, 0.25, 1.3))
        if block.group_width:
            changes["group_width"] = draw.choice((1, 2, 4, 8))
        elif block.groups not in (1, "depthwise"):
            changes["groups"] = draw.choice((2, 4))
        changes["expansion_ratio"] = block.expansion_ratio * draw.choice((1, 1, 2, 1.25))
        block = dataclasses.replace(block, **changes)
        stages.append(dataclasses.replace(stage, width=stage.width * factor, depth=draw.randint(1, 6), block=block))
    stem = dataclasses.replace(design.stem, width=design.stem.width * factor)
    if stem.kind != "patchify":
        stem = dataclasses.replace(stem, kernel_size=draw.randint(1, 9))
    head = dataclasses.replace(
        design.head,
        hidden=design.head.hidden and draw.randint(1, 99),
        classes=design.head.classes and draw.randint(1, 99),
    )
    height, width = draw.randint(60, 99), draw.randint(60, 300)
    image = dataclasses.replace(design.image, size=(height, width), channels=draw.randint(1, 6))
    return dataclasses.replace(design, stages=tuple(stages), stem=stem, head=head, image=image)


def check(design, seed):
    draw = random.Random(seed)
    members = [found for found in (member(design, draw) for _ in range(8)) if not faults(found)]
    if len(members) < 2:
        return 0
    population = stacked(members)
    network = lower_population(population)
    x, parts = population.image.shape, []
    for part in network.parts:
        found = part_cost(part, x)
        parts.append(found)
        x = found.output
    field = receptive_field(parts)
    lives = [found.part.tree.live(found.input) for found in parts]
    together = {
        "params": sum(found.params for found in parts),
        "macs": sum(found.macs for found in parts),
        "activations": sum(found.activations for found in parts),
        "peak": peak_elements(population.image.shape, lives),
        "widest": field.widest,
        "narrowest": field.narrowest,
        "output": x,
        **{
            name: sum(metric.of_row(row) * row.count for found in parts for row in found.rows)
            for name, metric in METRICS.items()
        },
    }
    for index, one in enumerate(members):
        costs = profile(one)
        single = {
            **{name: costs.total(name) for name in METRICS},
            "params": costs.params,
            "macs": costs.macs,
            "activations": costs.activations,
            "peak": costs.peak_elements,
            "widest": costs.receptive_field.widest,
            "narrowest": costs.receptive_field.narrowest,
            "output": costs.parts[-1].output,
        }
        for name, value in single.items():
            assert picked(together[name], index, len(members)) == value, name
        check_adjustments(one, network, index, len(members))
    assert all(np.all(condition.holds) for condition in network.checks)
    return len(members)


def check_adjustments(one, network, index, count):
    """Every rounding of the single design is among those of the population."""
    found = {
        (item.path, picked(item.asked, index, count), picked(item.given, index, count)) for item in network.adjustments
    }
    assert {(item.path, item.asked, item.given) for item in lower(one).adjustments} <= found


def picked(value, index, count):
    """What a value of a population is for one member."""
    if isinstance(value, tuple):
        return tuple(picked(item, index, count) for item in value)
    if value is None:
        return None
    array = np.broadcast_to(value, (count,))
    assert array.dtype in (np.int64, np.float64, np.bool_), array.dtype
    return array[index].item()


@pytest.mark.parametrize("name", SWEEP)
def test_sweep(name):
    check(swept(name), seed=0)


def test_the_sweep_has_members():
    counts = [check(swept(name), seed=1) for name in list(SWEEP)[::5]]
    assert sum(count >= 4 for count in counts) > 0.7 * len(counts)


@settings(max_examples=60)
@given(designs(), st.integers(0, 1000))
def test_random_designs(design, seed):
    check(design, seed)


def loose_member(design, draw):
    """The design with sizes that may not go together."""
    found = member(design, draw)
    stages = []
    for stage in found.stages:
        width = stage.width + draw.choice((0, 0, 1, 4, 6))
        ratio = draw.choice((0.5, 1.0, 1.3, 2.0))
        stages.append(
            dataclasses.replace(stage, width=width, block=dataclasses.replace(stage.block, expansion_ratio=ratio))
        )
    return dataclasses.replace(found, stages=tuple(stages))


def structure(design):
    """What a population's members share: which widths are equal, which depths are 1."""
    widths = [design.stem.width or design.stages[0].width, *design.widths]
    return tuple(one == other for one, other in pairwise(widths)), tuple(depth == 1 for depth in design.depths)


@pytest.mark.parametrize("name", [name for name in SWEEP if name.startswith(("pair", "custom", "small res"))])
def test_checks_hold_for_the_members_that_are_valid(name):
    draw = random.Random(name)
    groups = {}
    for _ in range(24):
        found = loose_member(swept(name), draw)
        groups.setdefault(structure(found), []).append(found)
    for members in groups.values():
        network = lower_population(stacked(members))
        for index, one in enumerate(members):
            broken = {
                condition.path for condition in network.checks if not picked(condition.holds, index, len(members))
            }
            assert broken == {
                fault.path for fault in faults(one) if fault.code in ("groups-do-not-divide", "bad-layer")
            }
