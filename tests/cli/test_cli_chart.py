"""``convlab chart``: draws into a file, says what it takes, and overwrites nothing unasked."""

from __future__ import annotations

import json

import pytest

import convlab
from convlab.cli.chart_kinds import KINDS
from convlab.cli.completion import complete_chart, complete_chart_theme
from convlab.runs import ResolvedDesign, Row

OF = {"design": "convnext_atto", "space": "spaces/kernel_study", "run": ""}


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if not (kind.of == "run" and kind.least)])
def test_every_kind_of_designs_and_spaces_is_drawn(kind, shell, tmp_path):
    names = [OF[KINDS[kind].of]] if KINDS[kind].least else []
    more = ["--members", "20"] if "members" in KINDS[kind].options else []
    ran = shell("chart", kind, *names, *more, "-o", "a.json", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json == {"schema_version": 1, "kind": kind, "names": names, "format": "json", "path": "a.json"}
    assert json.loads((tmp_path / "a.json").read_text())["data"]


def test_what_is_written_is_said_and_stays(shell, tmp_path):
    assert (
        shell("chart", "costs", "convnext_atto", "--by", "block", "--set", "stages.2.depth=3").out
        == "costs.html: costs of convnext_atto\n"
    )
    before = (tmp_path / "costs.html").read_bytes()
    again = shell("chart", "costs", "convnext_t")
    assert again.code == 2
    assert "already there" in again.err
    assert (tmp_path / "costs.html").read_bytes() == before
    assert shell("chart", "costs", "convnext_t", "--force", "--theme", "dark").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["cost"], 'did you mean "costs"?'),
        (["costs"], "takes the name of a design"),
        (["published", "convnext_t"], "takes no names"),
        (["cost-tree", "convnext_t", "resnet50"], "takes 1 design"),
        (["costs", "convnext_t", "--stage", "1"], "nothing to do with --stage"),
        (["walk", "-o", "walk.gif"], ".svg"),
        (["walk", "--theme", "lihgt"], 'did you mean "light"?'),
        (["walk", "--width", "3"], "100"),
        (["walk", "-o", "nowhere/walk.html"], "its folder is not there"),
        (["learning", "latest"], "has no runs"),
    ],
)
def test_wrong_usage_is_told(words, told, shell, tmp_path):
    ran = shell("chart", *words)
    assert ran.code in (1, 2)
    assert ran.out == ""
    assert told in ran.err
    assert not list(tmp_path.glob("*.html"))


def test_stored_runs_are_drawn(shell, tmp_path):
    design = ResolvedDesign.of(convlab.load("convnext_atto"))
    curve = [{"samples": 10, "validation_accuracy": 0.4}, {"samples": 20, "validation_accuracy": 0.5}]
    told = {"seed": 0, "validation_loss": 1.5, "validation_accuracy": 0.5, "curve": curve}
    with convlab.open_store(tmp_path / "runs.db").begin("training") as run:
        run.put(0, Row(kind="training", subject="01_baseline", design=design, median=50.0, unit="%", details=told))
    with convlab.open_store(tmp_path / "runs.db").begin("benchmark") as run:
        run.put(0, Row(kind="throughput", subject="mine", device="cpu", batch=4, median=9.0, low=8.0, high=10.0))
    runs = shell("runs", "list", "--store", "runs.db", "--json").json["runs"]
    by_kind = {run["kind"]: run["id"] for run in runs}
    for kind, of in (
        ("learning", "training"),
        ("results", "training"),
        ("walk", "training"),
        ("throughput", "benchmark"),
    ):
        ran = shell("chart", kind, by_kind[of], "--store", "runs.db", "-o", f"{kind}.json")
        assert (ran.code, ran.err) == (0, ""), kind
    drawn = {
        kind: json.loads((tmp_path / f"{kind}.json").read_text())["data"] for kind in ("learning", "throughput", "walk")
    }
    assert drawn["learning"][0]["y"] == [40.0, 50.0]
    assert drawn["throughput"][0]["y"] == [9.0]
    assert drawn["walk"][-1]["x"] == [50.0]
    refused = shell("chart", "learning", by_kind["benchmark"], "--store", "runs.db")
    assert refused.code == 2
    assert "there is no training in" in refused.err


def test_completion():
    assert complete_chart("cost") == ["costs", "cost-tree"]
    assert complete_chart_theme("d") == ["dark"]
