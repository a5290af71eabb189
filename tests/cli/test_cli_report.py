"""`convlab report`: a page or Markdown, written whole or not at all, over nothing that is there unasked."""

import json
import subprocess
import sys
from pathlib import Path

PROBE = """
import json, sys
from convlab.__main__ import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


def test_a_page_is_written(shell, tmp_path):
    ran = shell("report", "resnet18", "convnext_atto")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("report of resnet18, convnext_atto written to report.html, 4.")
    assert [path.name for path in tmp_path.iterdir()] == [
        "report.html"
    ]  # no store for want of one, no half-written file
    page = (tmp_path / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "convlab report resnet18 convnext_atto" in page


def test_nothing_is_overwritten_unasked(shell, tmp_path):
    (tmp_path / "report.html").write_text("mine")
    ran = shell("report", "resnet18")
    assert ran.code == 2
    assert "already there" in ran.err
    assert (tmp_path / "report.html").read_text() == "mine"
    assert shell("report", "resnet18", "--md", "-o", "report.html", "--force").code == 0
    assert (tmp_path / "report.html").read_text().startswith("## resnet18\n")


def test_what_cannot_be_reported_writes_nothing(shell, tmp_path):
    assert shell("report", "resnet19").code == 2
    assert shell("report", "resnet18", "-o", "there/is/no/folder.html").code == 2
    assert shell("report", "resnet18", "--store", "none.sqlite").code == 2
    assert shell("report", "resnet18", "--store", "none.sqlite", "--no-store").code == 2
    assert shell("report", "resnet18", "--set", "block.kernel_size=0").code == 1
    assert list(tmp_path.iterdir()) == []


def test_markdown_goes_to_stdout(shell, tmp_path):
    ran = shell("report", "convnext_atto", "--md", "--set", "block.kernel_size=9", "--image", "192")
    assert (ran.code, ran.err) == (0, "")
    assert "One design; turned: block.kernel_size=9" in ran.out
    assert "| Image" not in ran.out
    assert "- Image: 3 x 192 x 192." in ran.out
    assert "the nearest preset is convnext_atto, 2 knobs away" in ran.out
    assert list(tmp_path.iterdir()) == []


def test_json(shell, tmp_path):
    ran = shell("report", "resnet18", "-o", "r.html", "--json")
    assert ran.json["path"] == "r.html"
    assert ran.json["bytes"] == (tmp_path / "r.html").stat().st_size
    assert shell("report", "resnet18", "--md", "--json").json["markdown"].startswith("## resnet18\n")


def test_markdown_draws_nothing(tmp_path):
    command = [sys.executable, "-c", PROBE, "report", "resnet18", "--md", "--no-store"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    code, modules = json.loads(ran.stderr.splitlines()[-1])
    assert code == 0
    assert not {"plotly", "torch", "textual", "ipywidgets"} & set(modules)
    assert list(Path(tmp_path).iterdir()) == []
