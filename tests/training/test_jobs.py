"""A job is its folder: what is written is read, what is named along has to be the same, and folders are found by few letters."""

import dataclasses
import json

import pytest
from small_trainings import RESNET, design_of, recipe_of

from convlab import ConvlabError, load, turn
from convlab.training.keeping import job as jobs
from convlab.training.keeping.folders import RESULT
from convlab.training.keeping.job import (
    JOB,
    Job,
    located,
    member_folder,
    read_job,
    refuse_other_recipe,
    refuse_others,
    write_job,
)
from convlab.training.recipes.named import recipe

FIRST, SECOND = design_of(), design_of(RESNET, name="a resnet")
JOB_OF_TWO = Job((FIRST, SECOND), recipe_of(epochs=2.5), "auto", "123abc", (0, 1, 2), "cuda")


def test_what_is_written_is_read(tmp_path):
    write_job(JOB_OF_TWO, tmp_path / "new")
    found = read_job(tmp_path / "new")
    assert found == JOB_OF_TWO
    assert [design.name for design in found.designs] == ["small", "a resnet"]
    assert found.recipe.name == "test"


def test_what_was_turned_by_hand_survives(tmp_path):
    turned = dataclasses.replace(JOB_OF_TWO, recipe=recipe(JOB_OF_TWO.recipe, sets=["mixup=0.8"]))
    write_job(turned, tmp_path)
    assert read_job(tmp_path).recipe.by_hand == {"mixup"}


def test_presets_survive(tmp_path):
    whole = dataclasses.replace(
        JOB_OF_TWO, designs=tuple(map(load, ("convnext_t", "resnet50", "swin_t", "regnety_4gf")))
    )
    write_job(whole, tmp_path)
    assert read_job(tmp_path) == whole


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 1}', '{"format": 1, "designs": 3}'])
def test_a_damaged_job_is_told(tmp_path, content):
    (tmp_path / JOB).write_text(content)
    with pytest.raises(ConvlabError, match="is damaged"):
        read_job(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seeds": "01"}, '"01" where a list is due'),
        ({"seeds": [0, "1"]}, '"1" where a int is due'),
        ({"data": 3}, "3 where a str is due"),
        ({"format": "1"}, '"1" where a int is due'),
        ({"recipe": []}, "[] where a dict is due"),
        ({"recipe": {"learning_rate": "fast"}}, "learning_rate"),
        ({"designs": [{"text": "depths = 3", "name": "a"}]}, "widths is missing"),
        ({"designs": [{"text": 3, "name": "a"}]}, "3 where a str is due"),
        ({"weights": None}, "None where a str is due"),
    ],
)
def test_values_of_other_kinds_are_damage(tmp_path, changes, words):
    write_job(JOB_OF_TWO, tmp_path)
    (tmp_path / JOB).write_text(json.dumps(json.loads((tmp_path / JOB).read_text()) | changes))
    with pytest.raises(ConvlabError, match="is damaged") as raised:
        read_job(tmp_path)
    (problem,) = raised.value.problems
    assert (problem.code, words in problem.label) == ("bad-checkpoint", True), problem.label


def test_a_newer_or_missing_job_is_told(tmp_path):
    with pytest.raises(ConvlabError, match="there is no training in"):
        read_job(tmp_path)
    write_job(JOB_OF_TWO, tmp_path)
    (tmp_path / JOB).write_text(json.dumps(json.loads((tmp_path / JOB).read_text()) | {"format": 2}))
    with pytest.raises(ConvlabError, match="newer convlab"):
        read_job(tmp_path)


def test_other_designs_are_refused_by_the_names_of_the_knobs():
    refuse_others(JOB_OF_TWO, [FIRST, dataclasses.replace(SECOND, summary="said otherwise")])
    wider = turn(turn(FIRST, "stages.1.width", 24), "drop_path", 0.3)
    with pytest.raises(ConvlabError) as raised:
        refuse_others(JOB_OF_TWO, [wider, SECOND])
    (problem,) = raised.value.problems
    assert problem.message == (
        "this is another design small than the training was begun with: drop_path = 0.2 is now 0.3, widths = [8, 16] is now [8, 24]"
    )
    with pytest.raises(ConvlabError, match=r"begun with 2 designs \(small, a resnet\), and 1 are named now"):
        refuse_others(JOB_OF_TWO, [FIRST])


def test_another_recipe_is_refused_by_the_names_of_the_knobs():
    refuse_other_recipe(JOB_OF_TWO, dataclasses.replace(JOB_OF_TWO.recipe, evaluations=3, seed=4))
    with pytest.raises(
        ConvlabError, match=r"another recipe .*: batch = 16 is now 32, epochs = 2.5 is now 1.0|: epochs"
    ):
        refuse_other_recipe(JOB_OF_TWO, recipe_of(batch=32))


def test_members_lie_apart(tmp_path):
    folders = {member_folder(tmp_path, design, seed) for design in (FIRST, SECOND) for seed in (0, 1)}
    assert len(folders) == 4
    assert member_folder(tmp_path, SECOND, 1).name == f"a-resnet-{SECOND.key[:8]}-seed1"
    slashed = dataclasses.replace(FIRST, name="../../etc")
    assert member_folder(tmp_path, slashed, 0).resolve().parent == tmp_path


def test_folders_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "trainings", lambda: tmp_path)
    with pytest.raises(ConvlabError, match='there is no training "latest"'):
        located("latest")
    for name in ("20261122-170312-k3f9xw", "20261122-180000-aaaaaa", "20261121-000000-zzzzzz"):
        write_job(JOB_OF_TWO, tmp_path / name)
    assert located("latest").name == "20261122-180000-aaaaaa"
    assert located("k3f9xw").name == "20261122-170312-k3f9xw"
    assert located("20261121").name == "20261121-000000-zzzzzz"
    assert located(tmp_path / "20261121-000000-zzzzzz") == tmp_path / "20261121-000000-zzzzzz"
    with pytest.raises(ConvlabError, match="several trainings are meant"):
        located("2026")
    with pytest.raises(ConvlabError, match="there is no training") as raised:
        located("nothing")
    assert raised.value.problems[0].help.startswith("unfinished: 20261122-180000-aaaaaa (small, a resnet), ")
    for design in JOB_OF_TWO.designs:
        for seed in JOB_OF_TWO.seeds:
            folder = member_folder(tmp_path / "20261122-180000-aaaaaa", design, seed)
            folder.mkdir()
            (folder / RESULT).touch()
    with pytest.raises(ConvlabError) as raised:
        located("nothing")
    assert raised.value.problems[0].help == (
        "unfinished: 20261122-170312-k3f9xw (small, a resnet), 20261121-000000-zzzzzz (small, a resnet); "
        "finished: 20261122-180000-aaaaaa (small, a resnet)"
    )
