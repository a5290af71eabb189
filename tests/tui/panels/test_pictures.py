"""What panels draw, as plain text: it fits every room and says what the views say."""

import math
from dataclasses import replace

import pytest
from designs import preset

from convlab import load, profile
from convlab.errors import Problem
from convlab.progress import Progress
from convlab.tui.drawing.picture import Size, plain, width_of
from convlab.tui.jobs import JobState
from convlab.tui.panels.pictures.cost import cost_lines
from convlab.tui.panels.pictures.curves import curves_lines
from convlab.tui.panels.pictures.diff import diff_picture
from convlab.tui.panels.pictures.field import field_picture
from convlab.tui.panels.pictures.layers import entries, layer_lines
from convlab.tui.panels.pictures.memory import memory_picture
from convlab.tui.panels.pictures.walk import roadmap, step_of, walk_picture
from convlab.views.live_learning import JobCurves, live_curves, rates
from convlab.views.memory_line import memory_line
from convlab.views.outline import all_nodes, outline
from convlab.views.receptive_field import growth
from convlab.views.shares import shares, values_before

SIZES = [Size(38, 10), Size(38, 40), Size(60, 20), Size(100, 10), Size(100, 40)]
NAMES = (
    "convnext_t",
    "resnet50",
    "swin_t",
    "vit_s16",
    "efficientnet_b0",
    "repvgg_a0",
    "convnext_iso_s",
    "roadmap/04_depthwise",
)


def fits(lines, size):
    """The lines as text, having checked that none is wider than the room."""
    widest = max(lines, key=width_of)
    assert width_of(widest) <= size.width, plain([widest])
    return plain(lines)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_picture_fits_its_room(size):
    for name in NAMES:
        found = profile(preset(name))
        for by in ("stage", "block", "layer"):
            fits(cost_lines(shares(found, "macs", by=by), (), size.width), size)
        picture = field_picture(growth(found), size)
        fits(picture.lines, size)
        assert picture.head < size.height  # something of the steps is seen
        line = memory_line(found)
        for moment in (line.peak, line.moments[0], line.moments[-1]):
            picture = memory_picture(found, line, moment, size)
            fits(picture.lines, size)
            assert picture.head < size.height
        nodes = outline(found)
        every = tuple(all_nodes(nodes))
        fits(layer_lines(list(entries(nodes, set(), all_open=True)), size.width, every=every), size)
    assert fits(walk_picture(roadmap(), "", size, "").lines, size).count("\n") >= 16
    fits(diff_picture([profile(preset(name)) for name in NAMES[:4]], size).lines, size)


def test_costs_with_their_changes():
    one, other = (profile(load("convnext_t", sets=sets)) for sets in ((), ("stages.2.depth=12",)))
    stages, blocks = (shares(other, "macs", by=by) for by in ("stage", "block"))
    text = plain(cost_lines(stages, values_before(stages, shares(one, "macs", by="stage")), 80)).splitlines()
    assert text[3].split()[:4] == ["stages.2", "12", "convnext,", "7x7"]
    assert text[3].endswith("55.7 % 2.877 G  +32.4 %")
    assert text[2].endswith("773.6 M")
    before = values_before(blocks, shares(one, "macs", by="block"))
    assert plain(cost_lines(blocks, before, 100)).splitlines()[5].endswith("2.819 G  +33.3 %")  # 12 blocks for 9
    narrow = plain(cost_lines(blocks, before, 38)).splitlines()
    assert narrow[5].startswith("s2.blocks.0-11 ████")
    # Changes are left out where not all of them fit.
    layers, others = (shares(profile(load(name)), "macs", by="layer") for name in ("convnext_t", "convnext_b"))
    text = fits(cost_lines(layers, values_before(layers, others), 78), Size(78, 24)).splitlines()
    assert all(line.endswith(layer.text) for line, layer in zip(text, layers, strict=True))


def test_memory_says_where_the_peak_is():
    found = profile(load("convnext_t"))
    line = memory_line(found)
    text = plain(memory_picture(found, line, line.peak, Size(60, 24)).lines)
    assert text.startswith("Peak 13.21 MiB in stages.0.blocks.0.mlp.act")
    assert "output of stages.0.blocks.0.mlp.fc1" in text
    assert "└stem" in text


def test_the_receptive_field_in_words_and_squares():
    text = plain(field_picture(growth(profile(load("convnext_t"))), Size(100, 30)).lines)
    assert "Receptive field: 1688 of 224x224 px, at least 32." in text
    assert "image 224 px" in text
    assert "█ stem.0" in text
    assert "whole 224x224 image" in plain(field_picture(growth(profile(load("vit_s16"))), Size(100, 30)).lines)


def test_the_outline_opens():
    nodes = outline(profile(load("convnext_t")))
    shown = list(entries(nodes, {"0 stages.2", "1 stages.3.blocks.0"}))
    names = [entry.node.name for entry in shown]
    assert "blocks.0-8" not in names
    assert names[names.index("blocks.0-2", 10) :][:4] == ["blocks.0-2", "conv_dw", "norm", "mlp"]
    assert len({entry.key for entry in shown}) == len(shown)


def test_walk_marks_where_the_design_stands():
    design = load("convnext_t")
    here = step_of(design, roadmap())
    assert here == "roadmap/16_separate_downsampling"
    lines = plain(walk_picture(roadmap(), here, Size(90, 24), "").lines).splitlines()
    assert [line for line in lines if line.startswith("▶")] == [lines[-1]]
    assert "81.97 +0.50 4.456 G" in lines[-1]
    turned = plain(walk_picture(roadmap(), here, Size(90, 24), "roadmap/04_depthwise").lines)
    assert "4. depthwise conv (MACs ▼ -46.8 %, params ▼ -45.1 % against step 3): block.groups" in turned
    assert step_of(load("resnet18"), roadmap()) == ""


def test_diff_says_which_knobs_and_figures_differ():
    one, other = (profile(load("convnext_t", sets=sets)) for sets in ((), ("stages.2.depth=12",)))
    wide = diff_picture((one, other), Size(80, 20))
    assert "depths  [3, 3, 9, 3]  [3, 3, 12, 3]" in plain(wide.lines)
    assert wide.key(1) == "depths"
    narrow = plain(diff_picture((one, other), Size(38, 20)).lines)
    assert "depths\n  [3, 3, 9, 3] → [3, 3, 12, 3]" in narrow
    assert "32.19 M ▲ +12.6 %" in narrow
    assert plain(diff_picture((one, one), Size(38, 20)).lines).startswith("The design is as the baseline is.")


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_curves_progress_and_rates(size):
    rising = tuple((float(step), 2.0 - step / 100, step / 200) for step in range(100))
    speed = {"median": 31.2, "low": 30.0, "high": 33.0}
    jobs = (
        JobState(
            "1",
            "train",
            "train a",
            (),
            Progress(30, 100, "seed 0", 9.0, 21.0, {"images_per_second": 812.0}),
            {("a", 0): rising, ("b", 1): rising},
        ),
        JobState(
            "2",
            "train",
            "train c",
            (),
            error=(Problem("usage", "the process was killed"),),
            tail="a\nMemoryError",
            running=False,
        ),
        JobState(
            "3",
            "bench",
            "bench",
            (),
            result={
                "benchmarks": [
                    {"conditions": {"batch": 8}, "rows": [{"subject": "a", "images_per_second": speed}]},
                ]
            },
            running=False,
        ),
    )
    curves = [one for job in jobs for one in live_curves([JobCurves(job.curves)])]
    text = fits(tuple(curves_lines(jobs, curves, rates(jobs[2].result), size)), size)
    assert "training loss, nats" in text
    assert ("validation accuracy, %" in text) == (size.width >= 90)
    other = fits(tuple(curves_lines(jobs, curves, (), size, figure="accuracy")), size)
    assert "validation accuracy, %" in other
    assert "the process was killed" in text
    assert "MemoryError" in text
    assert "49.5 %" in text
    assert all(sign in text for sign in "●▲")
    assert "21 s left" in text


def test_losses_are_drawn_before_anybody_has_looked_at_the_accuracy():
    started = {("a", 0): tuple((float(step), 3.0 - step / 10, math.nan) for step in range(1, 7))}
    job = JobState("1", "train", "train a", (), Progress(6, 100, "", 1.0), started)
    size = Size(100, 20)
    text = fits(tuple(curves_lines((job,), live_curves([JobCurves(started)]), (), size)), size)
    assert "training loss, nats" in text
    assert "validation" not in text
    assert any("⠀" < character < "⣿" for character in text)
    assert "2.4 nats" in text
    # One look at the accuracy is a number, two are a line.
    once = {("a", 0): (*started["a", 0], (7.0, 2.3, 0.25))}
    for width in (60, 100):
        text = fits(tuple(curves_lines((job,), live_curves([JobCurves(once)]), (), Size(width, 20))), size)
        assert "validation" not in text
        assert "loss 2.3 nats, accuracy 25 %" in text
    twice = live_curves([JobCurves({("a", 0): (*once["a", 0], (8.0, 2.2, 0.5))})])
    text = fits(tuple(curves_lines((job,), twice, (), Size(100, 20))), size)
    assert "validation accuracy, %" in text
    # The figure that is drawn comes first.
    text = plain(curves_lines((job,), twice, (), Size(80, 20), figure="accuracy"))
    assert "accuracy 50 %, best 50, loss 2.2 nats" in text
    ended = replace(job, running=False, stopping=True, folder="/runs/r1")
    assert "stopped; R resumes it" in fits(tuple(curves_lines((ended,), (), (), size)), size)


def test_what_is_trained_is_told_and_runs_of_one_design_are_told_apart():
    points = ((1.0, 3.0, 0.1), (2.0, 2.0, 0.25))
    about = "proxy on digits, 8x8 px, 3,200 images; depths 2-2-6-2 → 1-1, widths 40-80-160-320 → 32-64"
    result = {"trained": [{"name": "a", "seed": 0, "test_accuracy": 0.367}]}
    curves = live_curves([JobCurves({("a", 0): points}, "k3f9xw", result), JobCurves({("a", 0): points}, "05ngmr")])
    progress = Progress(2, 25, "step 2", 3.0, 21.0, {"step": 2.0, "images_per_second": 1853.0}, subject="a#0")
    job = JobState("2", "train", "sprint of a", (), progress, {("a", 0): points}, about=about)
    for size in SIZES:
        text = fits(tuple(curves_lines((job,), curves, (), size)), size)
        assert text.startswith("sprint of a: seed 0")
        assert all(run in text for run in ("k3f9xw", "05ngmr"))
        assert "proxy on digits, 8x8 px, 3,200 image" in text
        assert ("test 36.7 %" in text) == (size.width > 38)
    lines = plain(curves_lines((job,), curves, (), Size(80, 24))).splitlines()
    assert lines[:2] == ["sprint of a: seed 0", "█▉                       step 2 of 25, 1,853 images/s, 21 s left"]
    assert lines[-4].startswith("● a, seed 0, k3f9xw")
    assert " ".join(lines[-2:]) == about
    other = replace(job, running=False, about="proxy on another")
    assert "another" not in plain(curves_lines((job, other), curves, (), Size(80, 24)))
