"""convlab train: what it prints, stores, resumes and refuses, with networks and budgets that take a second."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import convlab
from convlab.cli.train_run import earlier
from convlab.models import build
from convlab.runs import Row, open_store
from convlab.training.keeping.folders import held_alone

NET = """
depths = [1, 1]
widths = [8, 16]
image.size = 16
[stem]
kind = "patchify"
patch_size = 2
"""
DIGITS = ("--data", "digits", "--samples", "256", "--batch", "64", "--recipe-set", "evaluations=2", "--device", "cpu")


@pytest.fixture
def nets(shell: Callable) -> tuple[str, str]:
    """Two small designs in the folder where the shell is."""
    Path("small.toml").write_text(NET)
    Path("plain.toml").write_text(f'{NET}[block]\nkind = "basic"\n')
    return "small.toml", "plain.toml"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["there is no design to train", "convlab train convnext_t"]),
        (["nope"], ['no preset "nope"']),
        (["convnext_t", "--recipe", "sprin"], ['no recipe "sprin"', 'did you mean "sprint"']),
        (["convnext_t", "--recipe", "none.toml"], ["none.toml"]),
        (["convnext_t", "--recipe-set", "mixupp=1"], ["a recipe has no knob mixupp", "^^^^^^", 'did you mean "mixup"']),
        (["convnext_t", "--recipe-set", "mixup=-1"], ["--recipe-set", "mixup = -1 is out of range"]),
        (["convnext_t", "--recipe-set", "mixup"], ["--recipe-set", "epochs=2"]),
        (["convnext_t", "--data", "mnsit"], ['no data set "mnsit"']),
        (["convnext_t", "--data", "cifar10"], ["is not here"]),
        (["convnext_t", "--data", "./nopath"], ['no folder or file "./nopath"']),
        (["convnext_t", "--recipe", "imagenet_convnext"], ["imagenet_convnext is for imagenet", "--data FOLDER"]),
        (["convnext_t", "--recipe-set", "lr=1"], ["no knob lr", "here it is learning_rate"]),
        (["convnext_t", "--seeds", "0"], ["--seeds", "^"]),
        (["convnext_t", "--threads", "0"], ["--threads", "^"]),
        (
            ["convnext_t", "--recipe", "imagenet_convnext", "--samples", "64"],
            ["recipe imagenet_convnext", "--recipe-set warmup=0.1"],
        ),
        (["convnext_t", "--seeds", "some"], ["--seeds", "^"]),
        (["convnext_t", "--epochs", "0"], ["--epochs", "^"]),
        (["convnext_t", "--samples", "0"], ["--samples", "^"]),
        (["convnext_t", "--samples", "9", "--epochs", "1"], ["--epochs and --samples", "one of them"]),
        (["convnext_t", "--batch", "0"], ["--batch", "^"]),
        (["convnext_t", "--image", "0"], ["--image", "^"]),
        (["convnext_t", "--dtype", "tf32"], ["--dtype", "bfloat16"]),
        (["convnext_t", "--device", "cuda:9"], ["there is no device"]),
        (["convnext_t", "convnext_t"], ["the same design", "--seeds 3"]),
        (["convnext_t", "--against", "convnext_t"], ["the same design"]),
        (["convnext_t", "--output", "/proc/nowhere"], ["/proc/nowhere", "--output"]),
        (["convnext_t", "--data", "digits", "--full-size"], ["at 8x8 px"]),
        (["--resume", "nowhere"], ["nowhere"]),
        (["convnext_t", "--data", "digits", "--batch", "4096"], ["a batch of 4,096 images is larger"]),
        (["convnext_t", "--data", "digits", "--weights", "nope.pth"], ["nope.pth"]),
        (["convnext_t", "--data", "digits", "--output", "."], ["holds a training"]),
        (["convnext_t", "--output", "~nosuchuser/x"], ["there is no such home folder"]),
        (["convnext_t", "--output", "x" * 900], ["File name too long"]),
        (["convnext_t", "--data", "~nosuchuser/x"], ["there is no such home folder"]),
        (["convnext_t", "--data", "x" * 900], ["File name too long"]),
        (["convnext_t", "--recipe", "~nosuchuser/x"], ["there is no recipe"]),
        (["convnext_t", "--recipe", "cifar_speedrun", "--epochs", "2"], ["the warm-up takes 5 epochs of 2"]),
        (["--resume", "~nosuchuser/x"], ["there is no such home folder"]),
        (["--resume", "x" * 900], ["File name too long"]),
        (["convnext_t", "--track", "tensorbord"], ['no tracker "tensorbord"', 'did you mean "tensorboard"']),
    ],
)
def test_what_is_refused(arguments: list[str], words: list[str], shell: Callable) -> None:
    Path("left-small-seed0", "step-000001").mkdir(parents=True)
    ran = shell("train", *arguments, "--store", "here.sqlite")
    assert not Path("here.sqlite").exists()
    assert ran.code == (1 if "--full-size" in arguments else 2)
    assert ran.out == ""
    for word in words:
        assert word in ran.err
    assert "Traceback" not in ran.err
    assert "internal error" not in ran.err
    assert not Path("data").exists()


def test_a_ranking_with_curves_changes_and_the_run(nets: tuple[str, str], shell: Callable) -> None:
    ran = shell("train", *nets, *DIGITS, "--seeds", "2", "--store", "here.sqlite")
    assert ran.code == 0
    assert ran.err.startswith(
        "training small, plain by sprint samples=256: 256 images of digits, on cpu, 2\nseeds; 8x8 px, 64 a step\n"
    )
    lines = ran.out.splitlines()
    assert lines[0].split() == [
        "#",
        "design",
        "loss",
        "accuracy",
        "%",
        "behind",
        "ties",
        "test",
        "%",
        "n",
        "params",
        "MACs",
        "images/s",
    ]
    assert {line.split()[1] for line in lines[1:3]} == {"small", "plain"}
    assert all(" ± " in line for line in lines[1:3])
    assert "validation accuracy" in ran.out
    assert "head.classes" in ran.out
    assert "scikit-learn" in ran.out
    (line,) = [line for line in lines if "convlab runs show" in line]
    with open_store("here.sqlite") as store:
        run = store.run(line.split()[-1])
        assert (run.status, run.kind, run.rows, run.name) == ("complete", "training", 4, "small, plain")
        rows = store.rows(run)
    assert [(row.subject, row.details["seed"]) for row in rows.values()] == [
        ("small", 0),
        ("plain", 0),
        ("small", 1),
        ("plain", 1),
    ]
    assert all(len(row.details["curve"]) == 2 and row.details["test_accuracy"] is not None for row in rows.values())
    assert rows[0].details["overrides"][0]["path"] == "image.size"
    shown = shell("runs", "show", run.id, "--store", "here.sqlite")
    assert "learning curve" in shown.out
    compared = shell("runs", "compare", run.id, run.id, "--store", "here.sqlite")
    assert compared.code == 2


def test_json_is_one_object_and_silent(nets: tuple[str, str], shell: Callable) -> None:
    ran = shell("train", nets[0], *DIGITS, "--json", "--quiet", "--no-store", "--output", "here")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["run"] is None
    assert ran.json["folder"] == "here"
    (found,) = ran.json["trained"]
    assert (found["name"], found["seed"], found["steps"], found["budget"]) == ("small", 0, 4, 256)
    assert [place["name"] for place in ran.json["ranking"]["places"]] == ["small"]
    assert ran.json["recipe"]["knobs"]["samples"] == 256
    assert Path("here", "job.json").is_file()


def test_a_turned_design_beside_itself(nets: tuple[str, str], shell: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVLAB_PROGRESS", "json")
    turned = ("--set", "block.kernel_size=3", "--against", nets[0])
    ran = shell("train", nets[0], *turned, *DIGITS, "--json", "--no-store")
    begun = json.loads(ran.err.splitlines()[0])["begun"]
    assert begun["about"].startswith("on digits, 8x8 px, 256 images; small-turned: ")
    assert {found["name"] for found in ran.json["trained"]} == {"small-turned", "small"}
    assert [doubt["topic"] for doubt in ran.json["doubts"]] == ["kernels"]


def test_two_files_of_one_name_are_told_apart(nets: tuple[str, str], shell: Callable) -> None:
    for folder, name in zip(("a", "b"), nets, strict=True):
        Path(folder).mkdir()
        Path(name).rename(Path(folder, "net.toml"))
    ran = shell("train", "a/net.toml", "b/net.toml", *DIGITS, "--json", "--no-store")
    assert {found["name"] for found in ran.json["trained"]} == {"a-net", "b-net"}


def test_a_finished_training_is_resumed_at_once(nets: tuple[str, str], shell: Callable) -> None:
    first = shell("train", nets[0], *DIGITS, "--json", "--output", "here")
    for name in ("latest", "here", first.json["run"]["id"]):
        again = shell("train", "--resume", name, "--json")
        assert again.code == 0
        assert again.json["ranking"] == first.json["ranking"]
        assert again.json["folder"].endswith("here")
        assert again.json["run"] == first.json["run"]
        assert "already finished; nothing to train" in again.err
    assert len(shell("runs", "list", "--json").json["runs"]) == 1


def test_a_run_that_goes_on_says_with_which(nets: tuple[str, str], shell: Callable) -> None:
    first = shell("train", nets[0], *DIGITS, "--json", "--output", "here").json["run"]["id"]
    (result,) = Path("here").glob("*/result.json")
    result.unlink()
    with held_alone(result.parent):
        refused = shell("train", "--resume", first)
    assert (refused.code, "at work" in refused.err) == (2, True)
    second = shell("train", "--resume", first, "--json", "--quiet").json["run"]["id"]
    listed = shell("runs", "list").out.splitlines()[1:]
    assert [line.split()[0] for line in listed] == [second, first]
    assert ["resumed" in line for line in listed] == [False, True]
    assert all(first.rpartition("-")[2] in line for line in listed)
    assert f"resumed_from  {first}" in shell("runs", "show", second).out
    assert second in shell("runs", "show", first).out


def test_a_run_that_was_broken_off_before_its_first_row_is_known_too(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "runs.sqlite")) as store:
        for folder, rows in (("here", 1), ("here", 0), ("there", 0)):
            with store.begin("training", settings={"folder": str(tmp_path / folder)}) as run:
                for position in range(rows):
                    run.put(position, Row(kind="training", subject="a"))
        assert [each.rows for each in earlier(store, tmp_path / "here")] == [0, 1]


def test_checkpoints_go_with_the_last_run_that_has_part_in_them(nets: tuple[str, str], shell: Callable) -> None:
    trained = [shell("train", nets[0], *DIGITS, "--json", *where).json for where in ((), ("--output", "here"))]
    folders = [Path(found["folder"]) for found in trained]
    (result,) = folders[0].glob("*/result.json")
    result.unlink()
    again = shell("train", "--resume", str(folders[0]), "--json").json["run"]["id"]
    shell("runs", "delete", *(found["run"]["id"] for found in trained))
    assert shell("runs", "gc", "--json").json["checkpoints"] == []
    shell("runs", "delete", again)
    assert "of checkpoints" in shell("runs", "gc", "--dry-run").out
    assert shell("runs", "gc", "--json").json["checkpoints"] == [str(folders[0])]
    assert [folder.exists() for folder in folders] == [False, True]


def test_a_checkpoint_is_exported_with_the_design_inside(nets: tuple[str, str], shell: Callable) -> None:
    assert shell("train", nets[0], *DIGITS, "--quiet", "--no-store", "--output", "here").code == 0
    weights = str(max(Path("here").glob("*/step-*/model.safetensors")))
    assert shell("export", weights, "--to", "safetensors").code == 0
    assert Path("small.safetensors").is_file()
    refused = shell("export", nets[0], "--weights", weights, "--to", "safetensors", "-o", "other.safetensors")
    assert "of the design inside the file" in refused.err
    assert "--set" in shell("export", weights, "--to", "safetensors", "--image", "32").err


def test_small_images_are_fine_tuned_at_the_designs_size(nets: tuple[str, str], shell: Callable) -> None:
    """Not at the recipe's 384 px; and weights for other channels than the data have are refused by what did that."""
    few = (
        "--data",
        "digits",
        "--samples",
        "64",
        "--batch",
        "64",
        "--device",
        "cpu",
        "--no-store",
        "--recipe-set",
        'random_augment=""',
    )
    Path("grey.toml").write_text(f"{NET}[head]\nclasses = 10\n".replace("size = 16", "size = 16\nimage.channels = 1"))
    for name, channels in (("grey.toml", 1), (nets[0], 3)):
        design = convlab.turn(convlab.load(name), "image.channels", channels)
        save_file(build(design, channels_last=False).state_dict(), f"{channels}.safetensors")
    ran = shell("train", "grey.toml", "--weights", "1.safetensors", *few)
    assert ran.code == 0
    assert "; 16x16 px, 64 a step" in " ".join(ran.err.split())
    assert re.search(r"image.size +384 +16 +the design's images; 384 px are for", ran.out)
    refused = shell("train", nets[0], "--weights", "3.safetensors", *few)
    assert refused.code == 1
    told = " ".join(refused.err.split())
    assert "--> 3.safetensors" in told
    assert "small has 3 channels and was given 1: the images of digits have 1" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plain.toml"], ["begun with small, not plain", "block.kind"]),
        (["small.toml", "plain.toml"], ["begun with 1 designs (small), and 2 are named now"]),
        (["--recipe-set", "learning_rate=0.5"], ["another recipe", "learning_rate = 0.06 is now 0.5"]),
        (["--seeds", "3"], ["begun with 1 seed, not 3"]),
        (["--output", "there"], ["leave --output out"]),
        (["--weights", "mine.safetensors"], ["mine.safetensors"]),
        (["--set", "block.kernel_size=5"], ["--set without a design", "name the designs"]),
        (["--against", "plain.toml"], ["--against without a design"]),
        (["--data", "procedural"], ['begun with "digits", not "procedural"', "leave --data out"]),
    ],
)
def test_another_training_is_not_resumed(
    arguments: list[str], words: list[str], nets: tuple[str, str], shell: Callable
) -> None:
    assert shell("train", nets[0], *DIGITS, "--quiet", "--output", "here", "--no-store").code == 0
    ran = shell("train", "--resume", "here", *arguments)
    assert (ran.code, ran.out) == (2, "")
    for word in words:
        assert word in ran.err


def test_a_refusal_leaves_no_folder_behind(nets: tuple[str, str], shell: Callable) -> None:
    ran = shell("train", nets[0], *DIGITS, "--batch", "4096", "--output", "here/deep", "--store", "here.sqlite")
    assert ran.code == 2
    assert not Path("here").exists()
    assert not Path("here.sqlite").exists()


def test_the_latest_is_the_latest_that_can_be_resumed(nets: tuple[str, str], shell: Callable) -> None:
    for folder in ("here", "gone"):
        assert shell("train", nets[0], *DIGITS, "--quiet", "--output", folder).code == 0
    Path("gone", "job.json").unlink()
    assert shell("train", "--resume", "latest", "--json").json["folder"].endswith("here")


def test_a_knob_turned_by_hand_stays_in_a_short_training(nets: tuple[str, str], shell: Callable) -> None:
    by_hand = ("--recipe-set", "mixup=0.8", "--recipe-set", "label_smoothing=0.1")
    Path("busy.toml").write_text('base = "sprint"\nmixup = 0.8\nlabel_smoothing = 0.2\nflip = true\n')
    first = shell("train", nets[0], *DIGITS, "--recipe", "busy.toml", *by_hand, "--json", "--output", "here")
    for ran in (first, shell("train", "--resume", "here", "--json")):
        told = {each["path"] for each in ran.json["overrides"]["small"]}
        assert "block.layer_scale" in told
        assert not told & {"recipe.mixup", "recipe.label_smoothing", "recipe.flip"}


def test_threads_rates_chance_and_times_are_told(nets: tuple[str, str], shell: Callable) -> None:
    short = (*DIGITS, "--samples", "70", "--recipe-set", "evaluations=1", "--threads", "2")
    ran = shell("train", nets[0], *short, "--output", "here", "--no-store")
    assert ran.code == 0
    assert ", 2 threads, " in ran.out
    assert ", 2 threads, " in shell("train", "--resume", "here", "--no-store").out
    assert torch.get_num_threads() == 1
    assert "(training " in ran.out
    assert ", evaluating " in ran.out
    assert "whole batches of 64 images" in ran.out
    assert "180 validation and 360 test pictures" in ran.err


def test_another_training_is_no_walk(nets: tuple[str, str], shell: Callable) -> None:
    assert shell("train", nets[0], *DIGITS, "--quiet", "--output", "here", "--no-store").code == 0
    before = sorted(Path("here").rglob("*"))
    ran = shell("roadmap", "--train", "--resume", "here", "--store", "here.sqlite")
    assert (ran.code, ran.out) == (2, "")
    assert "not one of the walk" in ran.err
    assert sorted(Path("here").rglob("*")) == before
    assert not Path("here.sqlite").exists()


def test_what_is_there_is_not_trained_over(nets: tuple[str, str], shell: Callable) -> None:
    for code in (0, 2):
        ran = shell("train", nets[0], *DIGITS, "--output", "here", "--store", "here.sqlite")
        assert ran.code == code
    assert "holds a training" in ran.err


def test_a_network_that_diverges(nets: tuple[str, str], shell: Callable) -> None:
    knobs = ("optimizer=sgd", "learning_rate=100", "momentum=0.99", "schedule=constant", "evaluations=1")
    ill = (word for knob in knobs for word in ("--recipe-set", knob))
    ran = shell("train", nets[0], *DIGITS, *ill)
    assert ran.code == 3
    assert "Traceback" not in ran.err
    shown = shell("runs", "show", "latest").out
    assert re.search(r"status +failed", shown)
    assert re.search(r"note +small: diverged", shown)


def test_the_walk(shell: Callable) -> None:
    ran = shell("roadmap", "--leave-one-out", "--seeds", "2")
    assert (ran.code, ran.out) == (2, "")
    assert "--leave-one-out, --seeds are about training" in ran.err


@pytest.mark.slow
def test_the_walk_is_trained(shell: Callable) -> None:
    tiny = ("--data", "digits", "--recipe-set", "image_size=16", "--samples", "128", "--device", "cpu")
    ran = shell("roadmap", "--train", "--leave-one-out", *tiny, "--json", "--no-store", "--output", "here")
    assert ran.code == 0
    assert [step["published"]["order"] for step in ran.json["steps"]] == list(range(1, 17))
    assert ran.json["left_out"]
    assert ran.json["fidelity"]["proxy"]["n"] == 16
    text = shell("roadmap", "--train", "--resume", "here", "--no-store")
    assert text.code == 0
    for other, word in (
        (("--recipe-set", "mixup=0.5"), "mixup"),
        (("--seeds", "2"), "seed"),
        (("--samples", "64"), "samples"),
    ):
        refused = shell("roadmap", "--train", "--resume", "here", "--no-store", *other)
        assert refused.code == 2
        assert word in refused.err
    assert "Kendall's tau with the published top-1" in text.out
    assert "ConvNeXt-T without" in text.out
