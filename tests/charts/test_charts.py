"""Charts show what the views say, with a unit on every axis; names are text in them, whatever they hold."""

from __future__ import annotations

import dataclasses
import json

import pytest
from PIL import Image

import convlab
from convlab import charts, facts
from convlab.charts.batch_curves import batch_curves
from convlab.charts.curves import curves
from convlab.charts.palette import DASHES, OKABE_ITO, PATTERNS, SERIES, SYMBOLS, THEMES, label, look
from convlab.errors import ConvlabError
from convlab.runs.records import Row
from convlab.views.bands import bands
from convlab.views.batch_lines import BatchLine, Speed
from convlab.views.learning import Series
from convlab.views.memory_line import memory_line
from convlab.views.published import bubbles
from convlab.views.shares import shares
from convlab.views.walk_figure import walk_bars

EVIL = "<script>alert(1)</script>%{x}&<b>"


def costs(name):
    return convlab.profile(convlab.load(name))


def evil(name="convnext_atto"):
    return convlab.profile(dataclasses.replace(convlab.load(name), name=EVIL))


def population(count=40):
    return convlab.sample(convlab.load_space("spaces/kernel_study"), count).population


def lines(name="a"):
    return [BatchLine(name, (Speed(1, 10.0, 9.0, 11.0), Speed(2, 19.0, 18.0, 20.0)), 2, f"cpu {name}")]


def learnt(name="a"):
    return bands(
        [Series(name, "validation_accuracy", "%", (10, 20), (50.0 + seed, 60.0), (seed,)) for seed in range(2)]
    )


def rows(name):
    details = {"seed": 0, "validation_loss": 1.0, "validation_accuracy": 0.5}
    return [Row(kind="training", subject=name, details=details)]


MADE = {
    "walk": lambda theme: charts.walk(theme=theme),
    "walk with proxies": lambda theme: charts.walk(rows("01_baseline"), theme=theme),
    "published": lambda theme: charts.published("ImageNet-22K", theme=theme),
    "costs": lambda theme: charts.costs([costs("resnet50"), evil()], measure="params", theme=theme),
    "costs by layer": lambda theme: charts.costs(evil(), by="layer", theme=theme),
    "cost tree": lambda theme: charts.cost_tree(evil(), theme=theme),
    "receptive field": lambda theme: charts.receptive_field([costs("swin_t"), evil()], theme=theme),
    "receptive image": lambda theme: charts.receptive_image(evil(), theme=theme),
    "memory": lambda theme: charts.memory([costs("resnet50"), evil()], theme=theme),
    "blocks": lambda theme: charts.blocks([costs("swin_t"), evil()], theme=theme),
    "waterfall": lambda theme: charts.waterfall(theme=theme),
    "waterfall of two": lambda theme: charts.waterfall([costs("resnet50"), evil()], theme=theme),
    "waterfall of three": lambda theme: charts.waterfall([costs("resnet50"), evil(), costs("swin_t")], theme=theme),
    "population": lambda theme: charts.population(population(), theme=theme),
    "parallel": lambda theme: charts.parallel(population(), theme=theme),
    "learning": lambda theme: curves(learnt(EVIL), theme=theme),
    "throughput": lambda theme: batch_curves(lines(EVIL), theme=theme),
}
NO_AXES = ("cost tree", "blocks", "parallel")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", MADE)
def test_every_chart_is_drawn_in_both_themes_with_units_and_no_markup_of_others(kind, theme):
    figure = MADE[kind](theme)
    assert figure.layout.template.layout.paper_bgcolor == THEMES[theme].paper
    text = json.dumps(json.loads(figure.to_json()))
    assert "<script" not in text
    assert figure.layout.title.text
    assert figure.layout.width >= 400
    assert figure.layout.height >= 300
    if kind not in NO_AXES:
        axes = [
            axis
            for axis in figure.layout
            if axis.startswith(("xaxis", "yaxis")) and getattr(figure.layout, axis).title.text
        ]
        titles = [getattr(figure.layout, axis).title.text for axis in axes]
        assert all(", " in title or "layers" in title or "images" in title for title in titles), titles
        assert titles


@pytest.mark.parametrize("kind", ["blocks", "cost_tree", "costs", "memory", "receptive_field", "receptive_image"])
def test_a_design_stands_for_its_profile(kind):
    design = convlab.load("convnext_atto")
    chart = getattr(charts, kind)
    assert chart(design).to_json() == chart(convlab.profile(design)).to_json()


def test_names_are_shown_letter_by_letter():
    assert label("<script>") == "&lt;script&gt;"
    assert label("a & b") == "a &amp; b"
    assert label("a\x1b[31m") == r"a\x1b[31m"
    figure = charts.costs(evil())
    assert label(EVIL) in figure.layout.title.text
    # What a name holds is never part of a template, where %{x} would be replaced.
    assert all("%{x}" not in (trace.hovertemplate or "") for trace in charts.memory([evil(), evil()]).data)


def test_series_differ_without_colour():
    looks = [look(index) for index in range(24)]
    assert len({(each.color, each.symbol) for each in looks}) == 24
    assert len({each.symbol for each in looks[:8]}) == 8 == len(SYMBOLS) == len(SERIES) == len(PATTERNS)
    assert len({each.dash for each in looks[:6]}) == 6 == len(DASHES)
    assert set(OKABE_ITO.values()) <= set(SERIES)


def test_the_walks_figure_agrees_with_the_published_rows():
    figure = charts.walk()
    published = [row for row in facts.roadmap() if row.figure_gmacs is not None]
    bars, macs, printed = figure.data
    assert [start + length for start, length in zip([bars.base] * len(bars.x), bars.x, strict=True)] == pytest.approx(
        [row.top1 for row in published]
    )
    assert list(bars.error_x.array) == [row.top1_std or 0 for row in published]
    assert list(macs.x) == [row.gmacs for row in published]
    assert list(printed.x) == [row.printed_gmacs for row in published if row.agrees_with_print is False]
    assert list(figure.layout.yaxis.ticktext)[1:] == [row.step for row in published][1:]
    assert list(bars.marker.pattern.shape).count("/") == sum(row.adopted == "no" for row in published) == 2
    shown = {annotation.text for annotation in figure.layout.annotations}
    assert {f"{row.top1:.2f}" for row in published[:-1]} <= shown


def test_own_proxies_stand_beside_the_step_that_they_are_of():
    figure = charts.walk(rows("roadmap/01_baseline"))
    own = figure.data[-1]
    assert (list(own.x), list(own.y)) == ([50.0], [1])
    assert "own proxy" in figure.layout.xaxis3.title.text
    assert [bar.order for bar in walk_bars() if bar.preset == "roadmap/01_baseline"] == [1]


def test_bubbles_have_areas_that_are_parameters():
    figure = charts.published("ImageNet-1K")
    found = [bubble for bubble in bubbles("ImageNet-1K") if bubble.family == "ConvNeXt"]
    trace = next(trace for trace in figure.data if trace.name == "ConvNeXt")
    assert (list(trace.x), list(trace.y)) == ([bubble.gmacs for bubble in found], [bubble.top1 for bubble in found])
    one, other = found[5], found[7]
    sizes = trace.marker.size
    assert (sizes[7] / sizes[5]) ** 2 == pytest.approx(other.params_millions / one.params_millions)


def test_bars_and_tiles_are_shares():
    found = costs("convnext_t")
    bars = charts.costs(found, by="block").data[0]
    assert [value * 1e9 for value in bars.x] == pytest.approx(
        [share.value for share in shares(found, "macs", by="block")]
    )
    tree = charts.cost_tree(found).data[0]
    total = {}
    for parent, value in zip(tree.parents, tree.values, strict=True):
        total[parent] = total.get(parent, 0) + value
    assert total.pop("") == found.macs
    values = dict(zip(tree.ids, tree.values, strict=True))
    assert all(total[parent] == values[parent] for parent in total)


def test_memory_shows_every_moment_and_the_peak():
    found = costs("convnext_t")
    trace = charts.memory(found, batch=2).data[0]
    assert len(trace.x) == memory_line(found).length
    assert max(trace.y) * 2**20 == found.peak_bytes(2)


def test_an_interval_without_an_upper_end_leaves_the_chart():
    (row,) = [Row(kind="throughput", subject="a", batch=8, median=50.0, low=40.0, high=None)]  # a store has no infinity
    figure = charts.throughput([row])
    top = 10 ** figure.layout.yaxis.range[1]
    assert 50 < top < 100
    assert 50 + figure.data[0].error_y.array[0] > top
    assert "40 up, without an upper end" in figure.data[0].customdata[0]
    assert figure.data[1].text == ("knee: 8 or more",)


def test_trainings_that_were_evaluated_once_are_points_with_whiskers():
    once = bands([Series("a", "validation_loss", "nats", (10,), (1.0 + seed,), (seed,)) for seed in range(2)])
    (line,) = curves(once).data
    assert (line.y[0], line.error_y.array[0]) == (
        1.5,
        pytest.approx(12.706 * 0.5, rel=1e-4),
    )  # Student's t, 1 degree of freedom
    assert curves(once).layout.annotations[-1].text.startswith("Points: mean over 2 seeds; whiskers")


def test_a_legend_of_many_rows_has_room():
    few, many = (
        curves([learnt(f"a_design_of_a_long_name_{number}")[0] for number in range(count)]) for count in (2, 12)
    )
    assert many.layout.margin.t > few.layout.margin.t
    assert many.layout.height - many.layout.margin.t == few.layout.height - few.layout.margin.t


def test_squares_lie_over_a_picture():
    picture = Image.new("RGB", (4, 4), "red")
    figure = charts.receptive_image(costs("convnext_t"), picture=picture)
    (shown,) = figure.layout.images
    assert (shown.sizex, shown.sizey, shown.sizing) == (224, 224, "stretch")
    square = next(trace for trace in figure.data if trace.name == "stages.0: 76 px")
    assert (min(square.x), max(square.x)) == (75.5, 151.5)


def test_points_of_a_population_know_their_member():
    members = population()
    figure = charts.population(members, x="macs", y="params")
    assert [each[0] for each in figure.data[0].customdata] == list(members.indices)
    assert [value * 1e9 for value in figure.data[0].x] == pytest.approx([int(cost) for cost in members.costs["macs"]])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: charts.walk(theme="pink"),
        lambda: charts.published("JFT"),
        lambda: charts.costs(costs("resnet50"), measure="joules"),
        lambda: charts.costs(costs("resnet50"), by="pixel"),
        lambda: charts.cost_tree(costs("resnet50"), measure="activations"),
        lambda: charts.blocks(costs("resnet50"), stage=4),
        lambda: charts.learning([], figure="speed"),
        lambda: charts.population(population(), x="joules"),
        lambda: charts.parallel(population(), color="joules"),
    ],
)
def test_what_there_is_not_is_refused_with_a_way_out(wrong):
    with pytest.raises(ConvlabError) as caught:
        wrong()
    assert caught.value.problems[0].help


def test_public_names_are_functions():
    assert all(callable(getattr(charts, name)) for name in charts.__all__)
    with pytest.raises(AttributeError, match="pie"):
        getattr(charts, "pie")  # noqa: B009  # the attribute is what is tested
