"""Charts as files: HTML without the network, JSON that plotly reads, pictures by a browser, and what is said where there is none."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import plotly.graph_objects as go
import plotly.io
import pytest

from convlab import charts
from convlab.charts import pictures
from convlab.errors import ConvlabError

needs_browser = pytest.mark.skipif(pictures.browser_path() is None, reason="no browser is here: apt install chromium")


def figure(name="a"):
    return go.Figure(go.Bar(x=[1], y=[2], name=name, showlegend=True), layout={"width": 300, "height": 200})


def test_html_needs_no_network_and_ends_no_script_early(tmp_path):
    text = charts.save(figure("</script><script>alert(1)</script>"), tmp_path / "a.html").read_text()
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", text)
    assert "<script>alert(1)" not in text
    assert "Plotly.newPlot" in text


def test_json_is_what_plotly_reads(tmp_path):
    path = charts.save(figure(), tmp_path / "a.JSON")
    assert plotly.io.from_json(path.read_text()) == figure()


def test_a_format_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(ConvlabError) as caught:
        charts.save(figure(), tmp_path / "a.svgg")
    assert caught.value.exit_code == 2
    assert "svg" in caught.value.problems[0].help
    assert not list(tmp_path.iterdir())


def test_without_a_browser_the_way_to_one_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv(pictures.VARIABLE, str(tmp_path / "no browser"))
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    with pytest.raises(ConvlabError) as caught:
        charts.save(figure(), tmp_path / "a.svg")
    problem = caught.value.problems[0]
    assert problem.code == "not-drawn"
    assert "apt install chromium" in problem.help
    assert "kaleido" in problem.help
    assert not (tmp_path / "a.svg").exists()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("exit 1", "drew no chart"),
        ("echo '[[error:no canvas]]'", "no canvas"),
        ("sleep 60", "within"),
        ("#", "drew no chart"),
    ],
)
def test_a_browser_that_fails_is_told(script, told, tmp_path, monkeypatch):
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\n{'exec ' if script.startswith('sleep') else ''}{script}\n")
    browser.chmod(0o755)
    monkeypatch.setenv(pictures.VARIABLE, str(browser))
    monkeypatch.setattr(pictures, "PATIENCE_S", 0.3)
    with pytest.raises(ConvlabError, match=told):
        charts.save(figure(), tmp_path / "a.png")


@needs_browser
@pytest.mark.slow
def test_a_browser_draws_pictures(tmp_path):
    svg = ElementTree.fromstring(charts.save(figure("&lt;b&gt;"), tmp_path / "a.svg", width=320).read_bytes())
    assert svg.get("width") == "320"
    assert "<b>" in "".join(svg.itertext())
    png = charts.save(figure(), tmp_path / "a.png", scale=2).read_bytes()
    assert png.startswith(b"\x89PNG")
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (600, 400)
    assert charts.save(figure(), tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
