"""convlab bench: what it prints, stores and refuses. Times are never compared."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from convlab.__main__ import main
from convlab.cli.bench_run import Keeping
from convlab.measurement.benchmarking import benchmark
from convlab.measurement.machine.environment import environment
from convlab.measurement.recording import recording
from convlab.progress import finished
from convlab.runs import open_store
from convlab.runs.store import Store

pytestmark = pytest.mark.usefixtures("thawed_at_the_end", "frozen")

TINY = ("convnext_atto", "--image", "32", "--threads", "1", "--batch", "2", "--rounds", "3")
ONE = ("convnext_atto", "--image", "32", "--threads", "1", "--rounds", "3")


def test_a_table_with_its_conditions_and_the_run(shell: Callable) -> None:
    ran = shell("bench", *TINY, "--against", "timm:resnet10t")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].split() == ["network", "params", "MACs", "images/s", "step", "ms", "speed", "peak", "memory"]
    assert lines[1].startswith("convnext_atto ")
    assert " ± " in lines[1]
    assert lines[2].startswith("timm:resnet10t ")
    assert "baseline" in lines[2]
    assert "inference, float32, channels-last maps, eager, batch 2, images of 32x32 px" in ran.out
    assert "1 thread" in ran.out
    assert "timm " in ran.out
    assert "3 in turn" in ran.out
    (line,) = [line for line in lines if "convlab runs show" in line]
    with open_store() as store:
        run = store.run(line.split()[-1])
        assert (run.status, run.rows, run.name) == ("complete", 2, "convnext_atto, timm:resnet10t")
        assert run.settings["what"] == "throughput"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_what_cannot_be_printed_is_measured_all_the_same(shell: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["bench", *ONE, "--store", "here.sqlite"]) == 1
    with open_store("here.sqlite") as store:
        run = store.run("latest")
        assert (run.status, run.rows, run.note) == ("complete", 1, "")


def test_nothing_is_kept_of_what_is_stopped_before_its_first_round(tmp_path: Path) -> None:
    def pressed(_: object) -> None:
        raise KeyboardInterrupt

    def measured(kept: Keeping) -> None:
        found = finished(benchmark("convnext_atto", image=(32, 32), keep=kept.benchmarks), pressed)
        kept.measured(lambda: None, stopped=found.stopped, figures=False)

    def bench(store: Store) -> None:
        with recording(store, "benchmark", name="", settings={}, environment=environment("cpu")) as recorder:
            measured(Keeping(recorder, store.place))

    with open_store(tmp_path / "here.sqlite") as store:
        with pytest.raises(KeyboardInterrupt):
            bench(store)
        run = store.run("latest")
        assert (run.status, run.rows) == ("stopped", 0)


def test_training_is_split(shell: Callable) -> None:
    ran = shell("bench", *TINY, "--task", "training", "--no-store", "--set", "stages.2.depth=1")
    assert ran.code == 0
    assert "turned: stages.2.depth=1" in ran.out
    assert "convnext_atto (turned)" in ran.out
    assert "forward ms  backward ms  optimizer ms" in " ".join(ran.out.split("\n")[4:6]).replace("   ", "  ")
    assert "training with AdamW" in ran.out
    assert "nothing (--no-store)" in ran.out


def test_json_is_one_object_and_silent(shell: Callable) -> None:
    ran = shell("bench", *TINY, "--task", "both", "--json", "--quiet", "--store", "here.sqlite")
    assert (ran.code, ran.err) == (0, "")
    assert [each["conditions"]["task"] for each in ran.json["benchmarks"]] == ["inference", "training"]
    (row,) = ran.json["benchmarks"][1]["rows"]
    assert row["images_per_second"]["n"] == 3
    assert set(row["parts_s"]) == {"forward", "backward", "optimizer"}
    assert ran.json["run"]["store"] == "here.sqlite"
    with open_store("here.sqlite") as store:
        assert store.run(ran.json["run"]["id"]).rows == 2


def test_latency(shell: Callable) -> None:
    ran = shell("bench", *ONE, "--latency", "--no-store")
    assert ran.code == 0
    assert "p50 ms" in ran.out
    assert "batch 1," in ran.out
    assert "it takes 368" in ran.err


def test_two_designs_of_one_name_keep_their_rows(shell: Callable) -> None:
    for folder, depth in (("a", 1), ("b", 2)):
        Path(folder).mkdir()
        Path(folder, "net.toml").write_text(f'base = "convnext_atto"\ndepths = [1, 1, {depth}, 1]\n')
    designs = ("a/net.toml", "b/net.toml", "--image", "32", "--threads", "1", "--rounds", "3")
    ran = shell("bench", *designs, "--latency", "--json", "--quiet", "--store", "here.sqlite")
    assert ran.code == 0, ran
    with open_store("here.sqlite") as store:
        rows = list(store.rows("latest").values())
    assert len(rows) == 2
    assert len({row.design.key for row in rows}) == 2
    assert all(row.details["device_name"] for row in rows)


def test_layers_and_the_gap(shell: Callable) -> None:
    ran = shell("bench", *TINY, "--layers", "--against", "timm:resnet10t", "--no-store", "--json")
    assert ran.code == 0
    ours, peer = ran.json["networks"]
    assert "stages.0.blocks.0.conv_dw" in [layer["path"] for layer in ours["layers"]]
    assert peer["subject"] == "timm:resnet10t"
    (gap,) = ran.json["gaps"]
    assert {gap["slower"], gap["faster"]} == {"convnext_atto", "timm:resnet10t"}
    told = gap["roles"][: gap["explaining"]]
    assert sum(role["difference"] for role in told) >= 0.8 * gap["seconds"]


def test_the_matrix_with_what_is_left_out(shell: Callable) -> None:
    ran = shell("bench", *TINY, "--matrix", "--mode", "eager", "--dtype", "float32", "--no-store")
    assert ran.code == 0
    assert "contiguous maps" in ran.out
    assert "channels-last maps" in ran.out
    assert "2 settings: CUDA graphs need an NVIDIA GPU" in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], ['no preset "nope"']),
        (["convnext_atto", "--device", "cuda:9"], ["there is no device", "devices: "]),
        (["convnext_atto", "--device", "tpu"], ["there is no device"]),
        (["convnext_atto", "--batch", "0"], ["--batch", "^"]),
        (["convnext_atto", "--batch", "many"], ["--batch", "^"]),
        (["convnext_atto", "--against", "timm:convnext_tin"], ["timm has no network", "did you mean"]),
        (["convnext_atto", "--against", "torchvision:resnet51"], ["torchvision has no network", "did you mean"]),
        (["convnext_atto", "--against", "tim:resnet50"], ["unknown package", "timm, torchvision, transformers"]),
        (["convnext_atto", "--against", ""], ["--against names nothing", "timm:NAME"]),
        (["convnext_atto", "--against"], ["--against"]),
        (["convnext_atto", "--dtype", "tf32"], ["tf32 is a format of NVIDIA GPUs"]),
        (["convnext_atto", "--dtype", "float64"], ["--dtype", "tf32"]),
        (["convnext_atto", "--cuda-graphs"], ["CUDA graphs need an NVIDIA GPU"]),
        (["repvgg_a0", "--folded", "--task", "training"], ["a folded network is for inference"]),
        (["repvgg_a0", "--folded", "--task", "both"], ["a folded network is for inference"]),
        (["convnext_atto", "convnext_atto"], ["the same network", "would be noise"]),
        (["convnext_atto", "--against", "convnext_atto"], ["the same network"]),
        (["convnext_atto", "--latency", "--matrix"], ["--latency and --matrix", "one of them at a time"]),
        (["convnext_atto", "--latency", "--task", "both"], ["--latency is of one task"]),
        (["convnext_atto", "--sweep", "--batch", "3"], ["goes through the batches by itself"]),
        (["convnext_atto", "--layers", "--mode", "compiled"], ["layers are fused"]),
        (["convnext_atto", "--seconds", "0"], ["--seconds"]),
        (["convnext_atto", "--seconds", "long"], ["--seconds"]),
        (["convnext_atto", "--precision", "0"], ["--precision"]),
        (["convnext_atto", "--image", "2"], ["--image"]),
    ],
)
def test_what_is_refused(arguments: list[str], words: list[str], shell: Callable) -> None:
    ran = shell("bench", *arguments)
    assert ran.code in (1, 2)
    assert ran.out == ""
    for word in words:
        assert word in ran.err
    assert "Traceback" not in ran.err


def test_a_package_that_is_not_installed(shell: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    ran = shell("bench", "convnext_atto", "--against", "timm:resnet18")
    assert ran.code != 0
    assert "timm is not installed" in ran.err
    assert "pip install timm" in ran.err


def test_a_store_that_is_none(shell: Callable, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear reader")
    ran = shell("bench", *TINY, "--store", "letter.txt")
    assert ran.code == 2
    assert "is not a store" in ran.err
    assert (tmp_path / "letter.txt").read_text() == "Dear reader"


def test_a_design_that_does_not_fit(shell: Callable) -> None:
    ran = shell("bench", "convnext_atto", "--image", "40000", "--threads", "1", "--no-store")
    assert ran.code == 3
    assert ran.out.splitlines()[1].split()[0] == "convnext_atto"
    assert "out of memory" in ran.err
    assert "not even one image fits" in ran.err


def test_a_turned_design_against_itself(shell: Callable) -> None:
    ran = shell("bench", *TINY, "--set", "stages.2.depth=1", "--against", "convnext_atto", "--json", "--no-store")
    assert ran.code == 0
    assert [row["subject"] for row in ran.json["benchmarks"][0]["rows"]] == ["convnext_atto (turned)", "convnext_atto"]
    assert ran.json["benchmarks"][0]["baseline"] == "convnext_atto"
    assert ran.json["run"] is None
