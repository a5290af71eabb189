"""The numbers behind the charts: published rows one by one, fronts, diagrams, squares, bands, waterfalls, lines of batches."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from test_walk import walk as trained_walk

import convlab
from convlab import facts
from convlab.costs import receptive_field
from convlab.errors import ConvlabError
from convlab.measurement.batches import NEAR_BEST as KNEE
from convlab.measurement.batches import knee
from convlab.measurement.rounds import Samples
from convlab.measurement.rows import measured
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.subjects import subject
from convlab.presets import preset_names
from convlab.runs.records import Row
from convlab.views import batch_lines
from convlab.views.axes import MOST_KNOBS, coordinates, explained
from convlab.views.bands import bands, series_of_rows
from convlab.views.batch_lines import lines_of_measurements, lines_of_rows
from convlab.views.block_diagram import block_diagram
from convlab.views.fronts import front, population_scatter, profile_scatter, result_scatter
from convlab.views.learning import Series
from convlab.views.published import ALIKE, DATA, FAMILIES, bubbles
from convlab.views.receptive_squares import squares
from convlab.views.walk_figure import design_path, proxies_of_rows, proxies_of_walk, walk_bars
from convlab.views.waterfalls import design_waterfall, stage_waterfall, walk_waterfall

STEPS = preset_names("roadmap")


def costs(name, *sets, image=None):
    return convlab.profile(convlab.load(name, sets=sets), image=image)


@pytest.mark.parametrize("row", facts.roadmap(), ids=lambda row: row.step)
def test_a_bar_of_the_walk_is_the_published_row(row):
    bar = walk_bars()[row.order]
    assert (bar.order, bar.group, bar.step, bar.top1, bar.top1_std) == (
        row.order,
        row.group,
        row.step,
        row.top1,
        row.top1_std,
    )
    assert (bar.gmacs, bar.printed_gmacs) == (row.gmacs, row.printed_gmacs)
    assert bar.adopted == (row.adopted != "no")
    assert bar.agrees == (row.agrees_with_print is not False)
    assert bar.in_figure == (row.order > 0)
    if bar.preset:
        assert round(costs(bar.preset).macs / 1e9, 4) == pytest.approx(bar.gmacs, abs=1e-4)
        assert "depths 3, " in design_path(bar)
    else:
        assert row.order in (0, 17)


def training(name, seed, accuracy, **more):
    return Row(
        kind="training",
        subject=name,
        median=100 * accuracy,
        unit="%",
        details={"seed": seed, "validation_loss": 1 - accuracy, "validation_accuracy": accuracy} | more,
    )


def test_proxies_of_a_stored_run_are_means_over_seeds_with_intervals():
    rows = [
        training(name, seed, 0.5 + index / 100 + seed / 1000) for index, name in enumerate(STEPS) for seed in range(3)
    ]
    rows += [
        training("mine", 0, 0.9),
        Row(kind="throughput", subject=STEPS[0]),
        Row(kind="training", subject=STEPS[1]),
    ]
    found = proxies_of_rows(rows)
    assert set(found) == {name.rpartition("/")[2] for name in STEPS}
    bars = {bar.preset: bar for bar in walk_bars(found)}
    for index, name in enumerate(STEPS):
        own = bars[name].proxy
        assert own.accuracy == pytest.approx(50 + index + 0.1)
        assert own.low <= own.accuracy <= own.high
        assert own.seeds == 3
    assert walk_bars(found)[17].proxy is None
    assert proxies_of_rows([]) == {}


def test_proxies_of_a_walk_say_what_it_can_judge():
    found = proxies_of_walk(trained_walk(seeds=3))
    assert [own.accuracy for own in found.values()] == pytest.approx([50.1, 60.1, 60.1, 40.1])
    assert [own.judged for own in found.values()] == [True, True, False, True]
    assert all(own.low <= own.accuracy <= own.high for own in found.values())
    single = proxies_of_walk(trained_walk())
    assert {(own.low, own.high, own.seeds) for own in single.values()} == {(None, None, 1)}


@pytest.mark.parametrize("data", DATA)
def test_bubbles_are_published_figures_and_every_network_is_there_once(data):
    found = bubbles(data)
    known = {
        (row.model, row.image_size, row.top1, row.source) for row in facts.models() if row.pretraining in DATA[data]
    }
    assert {(each.model, each.image_size, each.top1, each.source) for each in found} <= known
    assert {each.family for each in found} <= set(FAMILIES.values())
    families = {row.model: row.family for row in facts.models()}
    for one, other in itertools.combinations(found, 2):
        same = families[one.model] == families[other.model] and one.image_size == other.image_size
        assert not same or abs(one.params_millions / other.params_millions - 1) > ALIKE / 1.05
    for name, gmacs in (("ConvNeXt-T", 4.4555), ("ConvNeXt-B", 15.3547)):
        assert any(each.model == name and each.gmacs == gmacs and each.image_size == 224 for each in found)


def test_other_data_are_refused():
    with pytest.raises(ConvlabError, match="ImageNet-1K"):
        bubbles("ImageNet1K")


@pytest.mark.parametrize("higher", list(itertools.product((False, True), repeat=2)))
def test_a_front_is_what_no_point_dominates(higher):
    rng = random.Random(7)
    points = [(rng.randint(0, 12), rng.randint(0, 12)) for _ in range(80)]
    better = [max if each else min for each in higher]

    def dominates(one, other):
        no_worse = all(pick(a, b) == a for pick, a, b in zip(better, one, other, strict=True))
        return no_worse and one != other

    expected = {place for place, point in enumerate(points) if not any(dominates(other, point) for other in points)}
    found = front(*zip(*points, strict=True), higher=higher)
    assert set(found) == expected
    assert len(set(found)) == len(found)


def test_what_is_not_finite_is_on_no_front():
    assert front((1.0, math.nan, 0.5), (1.0, 0.0, math.inf)) == (0,)
    assert front((), ()) == ()


def test_a_population_lies_by_its_costs():
    population = convlab.sample(convlab.load_space("spaces/kernel_study"), 30).population
    found = population_scatter(population, "macs", "params")
    assert found.indices == population.indices
    assert found.xs == tuple(float(cost) for cost in population.costs["macs"])
    assert found.names[0] == f"{population.space.name}[{population.indices[0]}]"
    with pytest.raises(ConvlabError, match="peak_bytes"):
        population_scatter(population, "macs", "peak_bytes")
    lines = coordinates(population, "macs")
    assert lines.indices == population.indices
    assert [axis.name for axis in lines.axes if axis.metric] == list(population.costs)
    assert 1 <= sum(not axis.metric for axis in lines.axes) <= min(MOST_KNOBS, lines.knobs)
    for axis in lines.axes:
        assert len(axis.values) == len(population)
        if axis.name == "macs":
            assert axis.values == found.xs


def test_what_a_knob_explains_is_the_correlation_ratio():
    assert explained((1, 1, 2, 2), (5, 5, 9, 9)) == 1
    assert explained((1, 2, 1, 2), (5, 5, 9, 9)) == 0
    assert explained((1, 1), (3, 3)) == 0


def test_designs_lie_by_their_metrics():
    profiles = [costs(name) for name in ("resnet50", "convnext_t")]
    found = profile_scatter(profiles, "macs", "receptive_field")
    assert found.xs == (4089184256.0, 4455531264.0)
    assert found.ys == (427.0, 1688.0)
    assert found.front == (0, 1)


def test_results_are_means_over_seeds_against_the_designs_costs():
    from convlab.runs import ResolvedDesign

    design = ResolvedDesign.of(convlab.load("resnet50"))
    rows = [Row(kind="training", subject="mine", design=design, median=value) for value in (70.0, 72.0)]
    found = result_scatter(rows)
    assert (found.names, found.xs, found.ys) == (("mine",), (4089184256.0,), (71.0,))


@pytest.mark.parametrize(
    "name",
    ["resnet50", "convnext_t", "swin_t", "efficientnet_b0", "regnety_4gf", "repvgg_a0", "deit_s", "convnext_iso_s"],
)
def test_a_diagram_holds_every_layer_of_its_block(name):
    found = costs(name)
    for stage in range(len(found.design.stages)):
        diagram = block_diagram(found, stage)
        rows = [row for row in found.rows if row.path.startswith(f"{diagram.path}.")]
        if not rows:  # a turn of blocks that repeat is told by its first
            continue
        shapes = {row.path: row.output for row in rows}
        drawn = {box.path: box for box in diagram.boxes}
        for path, box in drawn.items():
            if path in shapes:
                assert box.output == shapes[path]
        gates = [path for path in drawn if path not in shapes]
        assert all(path in drawn or any(path.startswith(f"{gate}.") for gate in gates) for path in shapes)
        assert diagram.input == rows[0].input or diagram.input == diagram.output
        for one, other in itertools.combinations(diagram.boxes, 2):
            beside = one.right <= other.left or other.right <= one.left
            above = abs(one.middle.y - other.middle.y) >= (one.height + other.height) / 2 - 1e-9
            assert beside or above, (one, other)


def test_blocks_are_written_as_in_the_paper():
    times = "\N{MULTIPLICATION SIGN}"
    lines = {
        name: [box.lines[0].replace(times, "x") for box in block_diagram(costs(name)).boxes]
        for name in ("resnet50", "convnext_t")
    }
    assert lines["resnet50"] == ["1x1, 64", "BN", "ReLU", "3x3, 64", "BN", "ReLU", "1x1, 256", "BN", "ReLU"]
    assert lines["convnext_t"] == ["d7x7, 96", "LN", "1x1, 384", "GELU", "1x1, 96", "layer scale"]
    swin = block_diagram(costs("swin_t"))
    assert len(swin.marks) == 2
    attention = next(box for box in swin.boxes if box.kind == "attention")
    assert [line.replace(times, "x") for line in attention.lines] == [
        "1x1, 3 x 96",
        "attention, windows 7x7",
        "3 heads, rel. pos.",
        "1x1, 96",
    ]
    assert [mark.text for mark in block_diagram(costs("efficientnet_b0"), 0).marks] == [times]
    assert block_diagram(costs("repvgg_a0")).marks[0].text == "+"


def test_a_stage_that_is_not_there_has_no_diagram():
    with pytest.raises(IndexError, match="4 stages"):
        block_diagram(costs("convnext_t"), 4)


@pytest.mark.parametrize("name", ["resnet50", "convnext_t", "swin_t"])
def test_squares_are_receptive_fields_around_the_middle(name):
    found = costs(name)
    made = squares(found)
    last = receptive_field([part for part in found.parts if not part.head]).widest
    assert made[-1].size == last.size == found.receptive_field.widest.size
    for square in made:
        assert square.bottom - square.top + 1 == square.size
        middle = square.top + square.size / 2
        assert abs(middle - (square.map.height // 2 + 0.5) * square.stride) <= square.stride
    assert [square.share for square in made] == sorted(square.share for square in made)


def test_global_attention_sees_the_whole_image():
    found = squares(costs("deit_s"))[-1]
    assert (found.size, found.share, found.bottom, found.right) == (None, 1.0, 223, 223)


def test_bands_are_means_with_students_interval():
    curves = [
        Series("a", "validation_accuracy", "%", (10, 20), (50.0 + seed, 60.0 + 2 * seed), (seed,)) for seed in range(3)
    ]
    curves.append(Series("a", "validation_accuracy", "%", (10,), (0.0,), (3,)))  # cut short: left out
    curves.append(Series("b", "validation_accuracy", "%", (10,), (None,), (0,)))
    one, other = bands(curves)
    assert one.mean == (51.0, 62.0)
    assert one.high[0] - one.mean[0] == pytest.approx(
        4.30265 / math.sqrt(3), rel=1e-4
    )  # t of 2 degrees of freedom, deviation 1
    assert one.mean[1] - one.low[1] == pytest.approx(2 * 4.30265 / math.sqrt(3), rel=1e-4)
    assert one.seeds == (0, 1, 2)
    assert (other.mean, other.low) == ((None,), (None,))
    assert bands(curves[:1])[0].low == (None, None)


def test_stored_curves_are_read():
    curve = [{"samples": 10, "validation_accuracy": 0.5}, {"samples": 20, "validation_accuracy": None}]
    found = series_of_rows([training("a", 1, 0.5, curve=curve), Row(kind="throughput", subject="a")])
    assert [(each.name, each.samples, each.values, each.seeds) for each in found] == [
        ("a", (10, 20), (50.0, None), (1,))
    ]


def test_the_walk_falls_from_published_figure_to_published_figure():
    found = walk_waterfall()
    assert (found.start, found.end) == (78.82, 81.97)
    assert found.start + sum(change.difference for change in found.changes) == pytest.approx(found.end)
    published = {row.step: row.top1 for row in facts.roadmap()}
    assert all(change.reached == published[change.name] for change in found.changes)
    assert not {"kernel size 9", "kernel size 11", "Swin-T"} & {change.name for change in found.changes}


@pytest.mark.parametrize("measure", ["macs", "params", "activations", "saved_bytes"])
def test_costs_fall_from_total_to_total(measure):
    one, other, third = (costs(name) for name in ("resnet50", "convnext_t", "deit_s"))
    total = {"saved_bytes": lambda found: found.saved_bytes()}.get(measure, lambda found: getattr(found, measure))
    for pair in ((one, other), (other, third)):
        found = stage_waterfall(*pair, measure)
        assert (found.start, found.end) == tuple(map(total, pair))
    found = design_waterfall((one, other, third), measure)
    assert [change.reached for change in found.changes] == [total(other), total(third)]
    assert stage_waterfall(one, other).changes[-1].name == "head"


def test_the_knee_is_that_of_the_sweep():
    assert batch_lines.NEAR_BEST == KNEE
    rng = random.Random(3)
    network = subject("convnext_atto", image=(32, 32))
    for _ in range(50):
        rows = [
            measured(
                network,
                Conditions(batch=batch),
                Samples(("forward",), values=[(batch / rng.uniform(1, 2),) for _ in range(8)]),
                counts=(1, 1),
                compile_s=0.0,
            )
            for batch in (1, 2, 4, 8, 16, 32)
        ]
        (line,) = lines_of_measurements({"a": rows})
        assert line.knee == knee(rows).batch
        assert [speed.batch for speed in line.speeds] == [1, 2, 4, 8, 16, 32]


def test_stored_throughputs_are_lines_by_their_conditions():
    rows = [
        Row(kind="throughput", subject="a", device=device, batch=batch, median=float(batch), low=None, high=9.0)
        for device in ("cpu", "cuda")
        for batch in (4, 1)
    ]
    found = lines_of_rows([*rows, Row(kind="latency", subject="a")])
    assert [(line.name, line.conditions, line.knee) for line in found] == [("a", "cpu", 4), ("a", "cuda", 4)]
    assert found[0].speeds[0] == (1, 1.0, 1.0, 9.0)
