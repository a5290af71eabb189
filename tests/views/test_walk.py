"""The trained walk as a table: changes beside the published ones, and which steps this proxy cannot judge."""

from __future__ import annotations

import json
from types import MappingProxyType

import torch

from convlab import facts, load, profile, units
from convlab.training.comparing import Training
from convlab.training.data.datasets import Dataset, Split
from convlab.training.keeping.job import Job
from convlab.training.proxies.judging import Doubt
from convlab.training.recipes.recipe import Recipe
from convlab.training.verdicts.ranking import Score, ranked
from convlab.training.walks import LeftOut, Walk, WalkStep
from convlab.views.walk import fidelity_texts, left_out_table, plain_walk, walk_table

NAMES = ("01_baseline", "02_stage_ratio", "03_patchify", "04_depthwise")
ACCURACIES = (0.50, 0.60, 0.60, 0.40)
WITHOUT = "without_02_stage_ratio"


def ranking(seeds):
    means = dict(zip((*NAMES, WITHOUT), (*ACCURACIES, 0.30), strict=True))
    return ranked(
        [Score(name, seed, 1 - mean, mean + seed / 1000) for name, mean in means.items() for seed in range(seeds)]
    )


def walk(seeds=1):
    found = ranking(seeds)
    placed = {place.name: place for place in found.places}
    published = {step.order: step for step in facts.roadmap()}
    design = load("convnext_atto")
    doubt = Doubt("resolution", NAMES[1:3], "they lower the resolution differently", "train larger")
    cost = Doubt("cost", NAMES[2:], "one costs more", "alike costs", decisive=False)
    told = {NAMES[2]: (doubt,), NAMES[3]: (cost,)}
    steps = tuple(
        WalkStep(
            name,
            published[order],
            base,
            design,
            profile(design).params,
            profile(design).macs,
            placed[name],
            found.difference(name, base) if base else None,
            told.get(name, ()),
        )
        for order, (name, base) in enumerate(zip(NAMES, ("", *NAMES), strict=False), start=1)
    )
    left_out = (LeftOut(NAMES[1], WITHOUT, placed[WITHOUT], found.difference(NAMES[1], WITHOUT), 0.54),)
    split = Split(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64))
    data = Dataset("tiny", ("a", "b"), 1, 8, 8, split, split, split, (0.5,), (0.5,), "abc", "generated")
    job = Job((), Recipe(), "tiny", "abc", tuple(range(seeds)))
    nothing = MappingProxyType({})
    return Walk(steps, left_out, nothing, Training((), found, nothing, (), nothing, job, data, data.source))


def texts(table, column):
    place = [each.name for each in table.columns].index(column)
    return [row[place].text for row in table.rows]


def test_changes_stand_beside_the_published_ones():
    found = walk_table(walk())
    assert texts(found, "accuracy") == ["50.00", "60.00", "60.00", "40.00"]
    assert texts(found, "gain") == ["-", "+10.00", "+0.00", "-20.00"]
    assert texts(found, "top1") == ["78.82", "79.36", "79.51", "78.28"]
    assert texts(found, "published_gain") == ["-", "+0.54", "+0.15", "-1.23"]
    assert texts(found, "macs") == [units.count(profile(load("convnext_atto")).macs)] * 4
    assert texts(found, "judged") == ["-", "yes", "no: resolution", "yes, but cost"]


def test_seeds_give_intervals():
    assert all(" ± " in text for text in texts(walk_table(walk(2)), "gain")[1:])


def test_what_a_step_brings_where_it_is_undone():
    found = left_out_table(walk())
    assert texts(found, "gain") == ["+30.00"]
    assert texts(found, "published_gain") == ["+0.54"]


def test_agreement_is_told_of_all_and_of_those_that_can_be_judged():
    everything, judged = fidelity_texts(walk())
    assert "over all steps (n = 4): this proxy's loss " in everything
    assert "parameters" in everything
    assert "(n = 3)" in judged


def test_json_has_no_numbers_that_are_not_finite():
    plain = json.loads(json.dumps(plain_walk(walk()), allow_nan=False))
    assert plain["steps"][1]["gain"]["loss"]["low"] is None
    assert plain["steps"][2]["judged"] is False
