"""A report as a page: whole, of one file, and what others wrote in it is text."""

import json
import re
from html.parser import HTMLParser

import pytest

import convlab
from convlab.costs import profile
from convlab.presets import preset_names
from convlab.report import Asked, contents, page
from convlab.report.pieces import Chart
from convlab.settings import Settings


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text that is seen."""

    def __init__(self, html):
        super().__init__()
        self.found, self.seen, self.inside = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.inside):
            self.seen.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.seen).split())


@pytest.fixture(scope="module")
def html(asked):
    return page(contents(asked))


def test_what_others_wrote_is_text(html, evil):
    elements = Elements(html)
    assert "img" not in {tag for tag, _ in elements.found}
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    for text in (evil.name, "onerror=alert(2)", "<b>CPU</b>", "<i>photos</i>", 'summary="</title>"'):
        assert text in elements.text


def test_scripts_are_plotly_once_ours_and_figures(html):
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL)
    code = [text for attributes, text in scripts if not attributes]
    assert len(code) == 2
    assert "plotly.js v" in code[0][:200]
    figures = [json.loads(text) for attributes, text in scripts if "application/json" in attributes]
    assert len(figures) == len(scripts) - 2 > 8
    assert all(figure["data"] for figure in figures)


def test_nothing_is_asked_of_the_network(html):
    for tag, attributes in Elements(html).found:
        for name in ("src", "href", "data", "action", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "http" not in policy


def test_figures_are_there(html):
    text = Elements(html).text
    for told in (
        "resnet18",
        "2 designs; changes are against resnet18",
        "154 images/s",
        "1.000 MiB",
        "384 images",
        "2026-11-23 01:02 UTC",
    ):
        assert told in text
    for anchor in (
        "overview",
        "differences",
        "costs",
        "design-0",
        "design-1",
        "measurements",
        "trainings",
        "environment",
        "meaning",
    ):
        assert f'<section id="{anchor}">' in html
        assert f'href="#{anchor}"' in html


def test_without_a_store_nothing_is_said_of_runs():
    asked = Asked(profiles=[profile(convlab.load("vit_s16"))], settings=Settings())
    anchors = [section.anchor for section in contents(asked).sections]
    assert anchors == ["overview", "costs", "design-0", "environment", "meaning"]


def test_where_nothing_is_stored_the_report_says_how(store):
    asked = Asked(profiles=[profile(convlab.load("vit_s16"))], settings=Settings(), store=store)
    html = page(contents(asked))
    assert "Nothing is stored of vit_s16: <code>convlab bench vit_s16</code> measures." in html
    assert "<code>convlab train vit_s16</code> trains." in html


@pytest.mark.slow
@pytest.mark.parametrize("name", [*preset_names(), *preset_names("roadmap")])
def test_every_preset_has_its_charts(name):
    asked = Asked(profiles=[profile(convlab.load("resnet50")), profile(convlab.load(name))], settings=Settings())
    pieces = [piece for section in contents(asked).sections for piece in section.pieces]
    drawn = [piece.draw("light") for piece in pieces if isinstance(piece, Chart)]
    assert len(drawn) >= 7
    assert all(figure.data for figure in drawn)
