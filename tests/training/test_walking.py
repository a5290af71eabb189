"""The walk as short trainings: what each step changes is kept, what cannot be judged is said, ConvNeXt-T without each step."""

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from small_trainings import design_of, drawn, recipe_of

import convlab
from convlab import facts
from convlab.errors import ConvlabError
from convlab.language.validation import faults
from convlab.training.comparing import Training
from convlab.training.data.datasets import Dataset, Split
from convlab.training.keeping.job import Job, write_job
from convlab.training.roadmap import base_of, step_names
from convlab.training.undoing import Change, undone
from convlab.training.verdicts.correlations import kendall
from convlab.training.verdicts.ranking import ranked
from convlab.training.walking import planned, refuse_other_walk, resumed_walk, sized, walk
from convlab.training.walks import walk_of

STEPS = step_names()
FINAL = STEPS[-1]


def large():
    """Noise at the size that the walk is made for, enough for one look."""
    numbers = torch.Generator().manual_seed(0)

    def split(size):
        images = torch.randint(0, 256, (size, 1, 64, 64), generator=numbers, dtype=torch.uint8)
        return Split(images, torch.arange(size) % 4)

    return Dataset("noise", tuple("abcd"), 1, 64, 64, split(16), split(4), split(4), (0.5,), (0.3,), "sum", "")


def walked(folder, *, data=None, **options):
    recipe = recipe_of(batch=4, samples=4, evaluations=1)
    return convlab.finished(walk(recipe=recipe, data=data or large(), device="cpu", folder=folder, **options))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The walk of one step of training each, at 64 px, with each step left out once."""
    return walked(tmp_path_factory.mktemp("walk") / "a", leave_one_out=True)


def test_steps_start_from_the_last_that_was_kept():
    assert base_of("01_baseline") == ""
    assert base_of("09_kernel_7") == "08_kernel_5"
    assert base_of("11_kernel_11") == base_of("10_kernel_9") == base_of("12_gelu") == "09_kernel_7"
    assert base_of(FINAL) == "15_layer_norm"


def test_undoing_the_last_step_gives_the_one_before():
    final, before = (convlab.load(f"roadmap/{name}") for name in (FINAL, base_of(FINAL)))
    assert undone(final, Change(before, final)).key == before.key


def test_undoing_takes_back_a_steps_knobs_and_leaves_those_of_others():
    designs = {name: convlab.load(f"roadmap/{name}") for name in STEPS}

    def without(before, after):
        return undone(designs[FINAL], Change(designs[before], designs[after]))

    small = without("07_moved_up", "09_kernel_7")
    assert {stage.block.kernel_size for stage in small.stages} == {3}
    assert dataclasses.replace(small, stages=designs[FINAL].stages) == designs[FINAL]
    narrow = without("04_depthwise", "05_width")
    assert narrow.widths == (64, 128, 256, 512)
    assert narrow.stem.width == 64
    stem = without("02_stage_ratio", "03_patchify_stem").stem
    assert (stem.kind, stem.width) == ("conv", 64)
    assert without("01_baseline", "02_stage_ratio").depths == (3, 4, 6, 3)
    active = without("12_gelu", "13_fewer_activations")
    assert active.stages[0].block.activation_after == ("expand", "spatial", "output")
    assert active.stages[0].block.norm_after == ("spatial",)


@pytest.mark.slow
def test_all_steps_are_shrunk_by_the_same_factors_and_stay_apart(whole):
    keys = {step.design.key for step in whole.steps}
    assert len(keys) == len(STEPS) == len(whole.steps) == 16
    assert all(not step.same for step in whole.steps)
    by_name = {step.name: step for step in whole.steps}
    assert all(len(step.design.stages) == 4 for step in whole.steps)
    for name, base in ((name, base_of(name)) for name in STEPS[1:]):
        asked, asked_base = (convlab.load(f"roadmap/{each}") for each in (name, base))
        design, design_base = by_name[name].design, by_name[base].design
        for knob in ("widths", "depths"):
            same = getattr(asked, knob) == getattr(asked_base, knob)
            assert (getattr(design, knob) == getattr(design_base, knob)) is same, (name, knob)
        assert (asked.stem.width == asked_base.stem.width) is (design.stem.width == design_base.stem.width), name
        assert [stage.block for stage in design.stages] == [stage.block for stage in asked.stages]


@pytest.mark.slow
def test_steps_that_this_proxy_cannot_judge_say_so(whole):
    topics = {step.name: {doubt.topic for doubt in step.doubts if doubt.decisive} for step in whole.steps}
    assert topics.pop("02_stage_ratio") == {"depth"}
    assert topics.pop("03_patchify_stem") == {"resolution"}
    assert topics.pop(FINAL) == {"resolution"}
    assert set(map(frozenset, topics.values())) == {frozenset()}
    assert whole.judged_fidelity.proxy.n == 13


def test_a_walk_is_told_with_what_was_shrunk_and_not_as_unshrunk():
    data, asked = drawn(), sized(recipe_of(image_size=16))
    plan = planned(asked, data, device="cpu", leave_one_out=False)
    job = Job(plan.designs, plan.recipe, data.name, data.checksum, (0,))
    nothing = Training((), ranked([]), {design.name: () for design in plan.designs}, (), {}, job, data, Path("here"))
    found = walk_of(nothing, plan.general)
    assert plan.recipe.shrink == "never"
    assert found.training.job.recipe.shrink == "auto"
    assert "widths" in {each.path for each in found.training.overrides["01_baseline"]}
    assert found.steps[0].macs < facts.roadmap()[1].macs


@pytest.mark.slow
def test_every_step_stands_beside_what_was_published(whole):
    published = {step.order: step.top1 for step in facts.roadmap()}
    for step in whole.steps:
        assert step.published.top1 == published[int(step.name[:2])]
        assert math.isfinite(step.placed.loss.mean)
        assert step.macs > 0 < step.params
        assert (step.gain is None) is (step.base == "")
        if step.gain is not None:
            assert (step.gain.one, step.gain.other) == (step.name, step.base)
            there = {place.name: place.loss.mean for place in whole.training.ranking.places}
            assert step.gain.loss.mean == pytest.approx(there[step.name] - there[step.base])
    fidelity = whole.fidelity
    assert fidelity.proxy.n == fidelity.params.n == fidelity.macs.n == 16
    assert -1 <= fidelity.proxy.low <= fidelity.proxy.tau <= fidelity.proxy.high <= 1
    rows = [step for step in facts.roadmap() if 1 <= step.order <= 16]
    assert fidelity.params.tau == kendall([step.params for step in rows], [step.top1 for step in rows])
    assert fidelity.macs.tau == kendall([step.macs for step in rows], [step.top1 for step in rows])
    assert {"widths", "head.classes", "stem.kernel_size"} <= {
        each.path for each in whole.training.overrides["01_baseline"]
    }


@pytest.mark.slow
def test_each_adopted_step_is_left_out_once(whole):
    assert [each.step[:2] for each in whole.left_out] == [
        "02",
        "03",
        "04",
        "05",
        "06",
        "07",
        "09",
        "12",
        "13",
        "14",
        "15",
        "16",
    ]
    assert whole.refused == {}
    assert not any(faults(each.design) for each in whole.training.trained)
    last = whole.left_out[-1]
    assert whole.training.same == {"without_16_separate_downsampling": "15_layer_norm"}
    assert last.placed.name == "15_layer_norm"
    assert last.published_gain == pytest.approx(0.5)
    for each in whole.left_out:
        assert each.gain.one == FINAL


@pytest.mark.slow
def test_a_walk_is_resumed_as_it_was_begun(tmp_path):
    recipe = recipe_of(batch=4, samples=4, evaluations=1, image_size=16)
    running = walk(recipe=recipe, data=drawn(), device="cpu", folder=tmp_path / "a")
    for progress in running:
        if progress.what.startswith("03_patchify_stem"):
            break
    with pytest.raises(StopIteration) as end:
        running.throw(KeyboardInterrupt)
    cut = end.value.value
    assert cut.training.stopped
    assert [step.placed is None for step in cut.steps[:4]] == [False, False, True, True]
    found = convlab.finished(walk(resume=tmp_path / "a", data=drawn(), device="cpu"))
    assert all(step.placed is not None for step in found.steps)
    assert any(step.same or step.doubts for step in found.steps)


def test_another_walk_is_not_resumed(tmp_path):
    data, asked = drawn(), sized(recipe_of(flip=True))
    plan = planned(asked, data, device="cpu", leave_one_out=False)
    job = Job(plan.designs, plan.recipe, data.name, data.checksum, (0, 1))
    write_job(job, tmp_path)
    assert resumed_walk(tmp_path, seeds=2) == job
    refuse_other_walk(job, asked, data)
    with pytest.raises(ConvlabError, match="learning_rate"):
        refuse_other_walk(job, dataclasses.replace(asked, learning_rate=0.5), data)
    with pytest.raises(ConvlabError, match="begun with 2 seeds, not 3"):
        resumed_walk(tmp_path, seeds=3)
    with pytest.raises(ConvlabError, match="without leaving steps out"):
        resumed_walk(tmp_path, leave_one_out=True)


def test_what_is_resumed_must_be_a_walk(tmp_path):
    recipe = recipe_of(samples=16, shrink="never")
    convlab.finished(convlab.train([design_of()], recipe=recipe, data=drawn(), device="cpu", folder=tmp_path / "a"))
    before = sorted((tmp_path / "a").rglob("*"))
    with pytest.raises(ConvlabError, match="not one of the walk"):
        next(walk(resume=tmp_path / "a", data=drawn(), device="cpu"))
    assert sorted((tmp_path / "a").rglob("*")) == before
