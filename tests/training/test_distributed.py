"""Several processes train one network as one process does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from convlab.errors import ConvlabError
from convlab.training.running.distributed import is_first, joined, launched

SCRIPT = Path(__file__).with_name("train_in_a_group.py")
CPU = torch.device("cpu")


def run(folder, *, world, **knobs):
    folder.mkdir(exist_ok=True)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(world)] if world > 1 else []
    command = [sys.executable, *launcher, str(SCRIPT), str(folder), json.dumps(knobs)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(folder, rank):
    return json.loads((folder / f"rank-{rank}.json").read_text())


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same training by one process and by two, each step in two micro-batches."""
    folder = tmp_path_factory.mktemp("group")
    run(folder / "alone", world=1, accumulation=2)
    run(folder / "two", world=2, accumulation=2)
    return folder


@pytest.mark.slow
def test_two_processes_end_in_the_weights_of_one(both):
    alone, two = (load_file(both / name / "weights.safetensors") for name in ("alone", "two"))
    assert alone.keys() == two.keys()
    for name, weight in alone.items():
        torch.testing.assert_close(two[name], weight, rtol=1e-4, atol=1e-6, msg=name)
    assert told(both / "two", 0)["loss"] == pytest.approx(told(both / "alone", 0)["loss"], abs=1e-6)


@pytest.mark.slow
def test_every_process_has_the_same_result_and_the_first_one_writes(both):
    first, second = told(both / "two", 0), told(both / "two", 1)
    assert first["world"] == second["world"] == 2
    assert first["loss"] == second["loss"]
    assert first["steps"] == told(both / "alone", 0)["steps"] == 8
    written = [sorted(path.name for path in (both / name / "training").iterdir()) for name in ("alone", "two")]
    assert written[0] == written[1]
    assert (first["kept"], second["kept"]) == (1, 0)


@pytest.mark.slow
def test_a_refusal_is_that_of_all_processes(tmp_path):
    """The folder is another training's: both processes say so, and neither waits for the other."""
    run(tmp_path / "two", world=1)
    kept = sorted((tmp_path / "two").rglob("step-*"))
    said = run(tmp_path / "two", world=2, learning_rate=1e-3)
    assert said.count("this is another recipe than the training was begun with") == 2
    assert sorted((tmp_path / "two").rglob("step-*")) == kept


@pytest.mark.slow
def test_what_processes_say_to_each_other(both):
    for rank in (0, 1):
        assert told(both / "two", rank)["said"] == [True, "of 0", 0.5]
        # The gradient is the process's own within an accumulation, and the mean of both at its end.
        assert told(both / "two", rank)["spread"] == [float(rank), 0.5]
    assert told(both / "alone", 0)["said"] == [False, "of 0", 0.0]


@pytest.mark.slow
@pytest.mark.parametrize(("interrupted", "within"), [(0, False), (1, True)])
def test_what_ends_one_process_ends_both_at_the_same_step(tmp_path, interrupted, within):
    run(tmp_path / "two", world=2, interrupted=interrupted, within=within)
    both = [told(tmp_path / "two", rank) for rank in (0, 1)]
    steps = 4 if within else 3
    assert [(each["stopped"], each["steps"]) for each in both] == [(True, steps)] * 2
    assert both[0]["checkpoint"] == f"step-{steps:06d}"


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_out_is_told(tmp_path):
    said = run(tmp_path / "uneven", world=2, batch=15)
    assert "a batch of 15 images cannot be shared out evenly to 2 processes" in said


def test_a_process_by_itself_is_a_group_of_one():
    model = nn.Linear(2, 2)
    with joined("cpu") as group:
        assert (group.rank, group.world, group.device, group.first) == (0, 1, CPU, True)
        assert group.wrapped(model) is model
        assert group.shared(model) is model
        assert group.any(True)
        assert not group.any(False)
        with group.accumulating(model, last=False):
            pass


@pytest.mark.parametrize(
    ("variables", "many", "first"),
    [
        ({}, False, True),
        ({"WORLD_SIZE": "1", "RANK": "0"}, False, True),
        ({"WORLD_SIZE": "4", "RANK": "0"}, True, True),
        ({"WORLD_SIZE": "4", "RANK": "3"}, True, False),
    ],
)
def test_who_speaks_is_known_from_the_launcher(variables, many, first, monkeypatch):
    for name in ("WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (launched(), is_first()) == (many, first)


def test_a_device_that_is_not_there_is_told():
    with pytest.raises(ConvlabError, match="no device"), joined("cuda:99"):
        pass
