"""Checkpoints are whole or not there: damage is noticed and told, a full disk leaves what there was."""

import json
import resource

import pytest
import torch
from safetensors.torch import save
from small_trainings import recipe_of, trained_in, work_of

from convlab import ConvlabError, load_weights
from convlab.models import build
from convlab.training.keeping import checkpoints
from convlab.training.keeping.checkpoints import STATE, clear_unfinished, found, newest, read
from convlab.training.keeping.folders import LOCK

TENSORS = {"model.safetensors": save({"a": torch.arange(6.0).reshape(2, 3)}), "optimizer.safetensors": save({})}


def saved(folder, *steps):
    return [checkpoints.save(folder, step, files=TENSORS, state={"loss": 0.1 * step}) for step in steps]


def test_what_is_saved_is_read(tmp_path):
    (path,) = saved(tmp_path / "not" / "there", 7)
    checkpoint = read(path)
    assert checkpoint.step == 7
    assert checkpoint.state["loss"] == 0.1 * 7
    assert torch.equal(checkpoint.tensors["model"]["a"], torch.arange(6.0).reshape(2, 3))
    assert checkpoint.tensors["optimizer"] == {}
    assert [each.name for each in path.parent.iterdir()] == ["step-000007"]


def test_the_two_newest_stay(tmp_path):
    saved(tmp_path, 1, 20, 300, 4_000_000)
    assert [path.name for path in found(tmp_path)] == ["step-000300", "step-4000000"]


def test_there_may_be_none(tmp_path):
    assert newest(tmp_path) == (None, ())
    assert newest(tmp_path / "not_there") == (None, ())


def cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def flip(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 16
    path.write_bytes(content)


def raise_step(path):
    signed = json.loads(path.read_text())
    signed["state"]["step"] += 1
    path.write_text(json.dumps(signed))


DAMAGES = {
    "cut tensors": ("model.safetensors", cut),
    "a bit of a tensor": ("model.safetensors", flip),
    "tensors gone": ("optimizer.safetensors", lambda path: path.unlink()),
    "cut state": (STATE, cut),
    "another state": (STATE, raise_step),
    "no state": (STATE, lambda path: path.unlink()),
    "another file": (STATE, lambda path: path.write_text("[1]")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_set_aside_and_the_one_before_is_taken(tmp_path, damage):
    saved(tmp_path, 10, 20)
    name, harm = DAMAGES[damage]
    harm(tmp_path / "step-000020" / name)
    checkpoint, notes = newest(tmp_path)
    assert checkpoint.step == 10
    (note,) = notes
    assert note.startswith("step-000020 is damaged (")
    assert note.endswith("): it was set aside, and training went on from step-000010")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged-step-000020", "step-000010"]
    saved(tmp_path, 20)
    assert newest(tmp_path)[0].step == 20


def test_where_all_are_damaged_nothing_begins_anew(tmp_path):
    for path in saved(tmp_path, 10, 20):
        cut(path / STATE)
    for _ in range(2):
        with pytest.raises(ConvlabError, match=r"no checkpoint in .* can be read"):
            newest(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000010", "step-000020"]


def test_one_that_cannot_be_read_now_is_not_damaged(tmp_path):
    newer = saved(tmp_path, 10, 20)[-1]
    (newer / STATE).unlink()
    (newer / STATE).mkdir()  # reading it fails as on a disk with errors, whoever reads
    with pytest.raises(ConvlabError, match="cannot be read"):
        newest(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000010", "step-000020"]


def test_a_step_that_is_there_is_not_written_twice(tmp_path):
    (path,) = saved(tmp_path, 10)
    before = (path / STATE).stat().st_mtime_ns
    assert saved(tmp_path, 10) == [path]
    assert (path / STATE).stat().st_mtime_ns == before
    cut(path / STATE)
    saved(tmp_path, 10)
    assert newest(tmp_path)[0].step == 10


def test_what_a_killed_process_left_is_no_checkpoint(tmp_path):
    saved(tmp_path, 10)
    (tmp_path / ".step-000020.4711").mkdir()
    (tmp_path / ".step-000020.4711" / "model.safetensors").write_bytes(b"half")
    assert newest(tmp_path)[0].step == 10
    clear_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000010"]


@pytest.fixture
def small_files():
    """No file grows beyond 2 kB, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size=2000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_ends_the_training_and_leaves_the_last_good_state(tmp_path, small_files):
    folder = tmp_path / "full"
    work = work_of(folder, recipe=recipe_of(evaluations=4))
    for _ in range(3):
        next(work)  # up to the first evaluation, after the second step
    small_files()
    with pytest.raises(ConvlabError, match=r"step 4 cannot be written .*File too large") as raised:
        for _ in work:
            pass
    small_files(resource.RLIM_INFINITY)
    (problem,) = raised.value.problems
    assert (problem.code, raised.value.exit_code) == ("not-saved", 3)
    assert problem.label == "step-000002 is the newest that is there"
    assert {path.name for path in folder.iterdir()} == {LOCK, "step-000002"}
    resumed = trained_in(folder, recipe=recipe_of(evaluations=4), resume=True)
    straight = trained_in(tmp_path / "straight", recipe=recipe_of(evaluations=4))
    assert resumed.test_loss == straight.test_loss
    assert resumed.steps == 8


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConvlabError, match="cannot make the folder"):
        trained_in(tmp_path / "file" / "folder")
    with pytest.raises(ConvlabError, match="cannot be written") as raised:
        saved(tmp_path / "file" / "folder", 1)
    assert raised.value.problems[0].label == "no checkpoint is there yet"


def test_a_damaged_newest_checkpoint_does_not_change_where_a_training_ends(tmp_path):
    straight = trained_in(tmp_path / "straight")
    work = work_of(tmp_path / "damaged", save_s=0.0)
    for _ in range(6):
        next(work)
    work.close()
    flip(tmp_path / "damaged" / "step-000005" / "model.safetensors")
    resumed = trained_in(tmp_path / "damaged", resume=True)
    assert resumed.test_loss == straight.test_loss
    assert resumed.notes == (
        "step-000005 is damaged (model.safetensors is not what was written): it was set aside, and training went on from step-000004",
    )


def test_a_checkpoint_is_weights_that_others_can_load(tmp_path):
    result = trained_in(tmp_path, recipe=recipe_of(ema=0.5))
    model = build(result.design)
    report = load_weights(model, result.checkpoint)
    assert not report.missing
    kept = read(result.checkpoint).tensors
    assert all(torch.equal(tensor, kept["model"][name]) for name, tensor in model.state_dict().items())
    assert not torch.equal(kept["model"]["head.fc.weight"], kept["average"]["head.fc.weight"])
