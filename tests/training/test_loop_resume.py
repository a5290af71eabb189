"""What is resumed ends where the uninterrupted training ends, bit for bit, however it was interrupted; what is not the same is refused."""

import dataclasses
import multiprocessing
import os
import random
import signal
import threading
import time

import pytest
import torch
from small_trainings import RESNET, design_of, drawn, recipe_of, trained_in, work_of

from convlab import ConvlabError, finished, turn
from convlab.training.keeping.checkpoints import found

SETTINGS = {
    "adamw": {},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.05},
    "muon": {"optimizer": "muon", "learning_rate": 0.02},
    "average": {"ema": 0.9},
    "mixing": {"mixup": 0.8, "cutmix": 1.0, "label_smoothing": 0.1},
    "augmentation": {"crop": "pad", "flip": True, "random_erasing": 0.5},
    "no_drop_path": {"drop_path": 0.0},
    "bfloat16": {"dtype": "bfloat16"},
    "float16": {"dtype": "float16", "clip_norm": 1.0},
    "pieces": {"accumulation": 3, "clip_norm": 0.5},
    "decay": {"layer_decay": 0.7, "schedule": "one_cycle", "dirac_depthwise": True, "layer_scale": 0.1},
}


def files_of(checkpoint):
    """The tensors of a checkpoint as they lie on the disk, by the names of the files."""
    return {path.name: path.read_bytes() for path in checkpoint.glob("*.safetensors")}


def figures_of(result):
    """What has to be equal of two results: everything but time."""
    curve = [dataclasses.replace(point, seconds=0.0) for point in result.curve]
    return curve, result.test_loss, result.test_accuracy, dict(result.cue_accuracy), result.steps, result.micro_batch


def assert_same(one, other):
    assert figures_of(one) == figures_of(other)
    assert files_of(one.checkpoint) == files_of(other.checkpoint)


def interrupted(folder, steps, **options):
    """A training that is stopped after so many shown steps."""
    work = work_of(folder, **options)
    for _ in range(steps + 1):
        next(work)
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    assert end.value.value.stopped
    return end.value.value


CASES = [("convnext", setting) for setting in SETTINGS]
CASES += [("resnet", setting) for setting in ("sgd", "average", "bfloat16", "pieces")]


@pytest.mark.parametrize(("network", "setting"), CASES)
def test_a_resumed_training_ends_in_the_same_weights(tmp_path, network, setting):
    options = {"recipe": recipe_of(**SETTINGS[setting])}
    options |= {"design": design_of(RESNET)} if network == "resnet" else {}
    straight = trained_in(tmp_path / "straight", **options)
    stopped = interrupted(tmp_path / "pieces", 3, **options)
    assert stopped.steps == 3
    for steps in (2, 0, 1):
        torch.manual_seed(steps)  # nothing depends on the state of torch's generators
        interrupted(tmp_path / "pieces", steps, resume=True, **options)
    resumed = trained_in(tmp_path / "pieces", resume=True, **options)
    assert not resumed.stopped
    assert resumed.steps == straight.steps == 8
    assert not straight.failure
    assert_same(straight, resumed)


def test_looking_more_often_does_not_change_the_weights(tmp_path):
    once = trained_in(tmp_path / "once", recipe=recipe_of(evaluations=1))
    often = trained_in(tmp_path / "often", recipe=recipe_of(evaluations=8), save_s=0.0)
    assert files_of(once.checkpoint) == files_of(often.checkpoint)
    assert len(often.curve) == 8
    assert once.test_loss == often.test_loss


def test_closing_saves(tmp_path):
    work = work_of(tmp_path / "closed")
    for _ in range(4):
        next(work)
    work.close()
    assert [path.name for path in found(tmp_path / "closed")] == ["step-000003"]
    assert_same(trained_in(tmp_path / "closed", resume=True), trained_in(tmp_path / "straight"))


def test_ctrl_c_waits_for_the_end_of_a_step(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    recipe = recipe_of(samples=16 * 100)
    work = work_of(tmp_path / "pressed", recipe=recipe, show_s=3600.0)
    next(work)
    next(work)  # the first step; the next one is a stretch up to the evaluation
    timer = threading.Timer(0.03, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    result = finished(work)
    timer.join()
    assert signal.getsignal(signal.SIGINT) == before
    assert result.stopped
    assert 1 < result.steps < 50
    assert result.checkpoint.name == f"step-{result.steps:06d}"
    resumed = trained_in(tmp_path / "pressed", recipe=recipe, resume=True)
    assert_same(resumed, trained_in(tmp_path / "straight", recipe=recipe))


def test_a_finished_training_is_not_done_again(tmp_path):
    first = trained_in(tmp_path)
    before = files_of(first.checkpoint)
    work = work_of(tmp_path, resume=True)
    with pytest.raises(StopIteration) as end:
        next(work)
    assert end.value.value == first
    assert files_of(first.checkpoint) == before


def test_a_folder_with_checkpoints_is_not_written_over(tmp_path):
    trained_in(tmp_path)
    with pytest.raises(ConvlabError, match="holds the checkpoints of a training"):
        trained_in(tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"turned": ("stages.1.block.kernel_size", 5)}, "another design.* block.kernel_size"),
        ({"recipe": {"learning_rate": 1e-3}}, "another recipe.*: learning_rate = 0.002 is now 0.001"),
        ({"data": 1}, 'the files of "drawn" have changed'),
        ({"seed": 1}, "seed = 0 is now 1"),
    ],
)
def test_another_training_is_refused(tmp_path, options, words):
    stopped = interrupted(tmp_path, 3)
    kept = files_of(stopped.checkpoint)
    other = {"seed": options.get("seed", 0), "data": drawn(seed=options.get("data", 0))}
    other["recipe"] = recipe_of(**options.get("recipe", {}))
    other["design"] = turn(design_of(), *options["turned"]) if "turned" in options else design_of()
    with pytest.raises(ConvlabError, match=words) as raised:
        trained_in(tmp_path, resume=True, **other)
    assert {problem.code for problem in raised.value.problems} == {"other-training"}
    assert files_of(stopped.checkpoint) == kept
    assert trained_in(tmp_path, resume=True).steps == 8


def test_another_number_of_threads_is_told(tmp_path):
    interrupted(tmp_path, 3)
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        resumed = trained_in(tmp_path, resume=True)
    finally:
        torch.set_num_threads(threads)
    assert resumed.notes == (
        f"resumed at step 3 under other circumstances, so not bit for bit: threads {threads} is now {threads + 1}",
    )


LONG = recipe_of(samples=16 * 100, ema=0.9)


def train_and_save_every_step(folder, said):
    torch.set_num_threads(1)
    work = work_of(folder, recipe=LONG, resume=True, save_s=0.0)
    next(work)
    said.send_bytes(b"begun")
    finished(work)


@pytest.mark.slow
def test_killed_at_ten_moments_it_ends_in_the_same_weights(tmp_path):
    straight = trained_in(tmp_path / "straight", recipe=LONG)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["convlab.training.running.loop", "torch._dynamo", "timm.utils", "tomlkit"])
    moments, killed_at = random.Random(0), []
    for attempt in range(40):
        heard, said = processes.Pipe(duplex=False)
        process = processes.Process(target=train_and_save_every_step, args=(tmp_path / "killed", said))
        process.start()
        assert heard.recv_bytes() == b"begun"
        # Within a step, an evaluation, a file, a renaming; on a machine that has more to do they last longer.
        time.sleep(moments.uniform(0.0, 0.15 * (1 + attempt // 10)))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        killed_at += [path.name for path in found(tmp_path / "killed")[-1:]]
        if attempt >= 9 and len(set(killed_at)) > 2:
            break
    assert len(set(killed_at)) > 2
    assert trained_in(tmp_path / "straight", recipe=LONG, resume=True) == straight
    assert_same(straight, trained_in(tmp_path / "killed", recipe=LONG, resume=True))
