"""A report in a browser: charts are drawn, the console stays quiet, nothing is asked of the network, and what is named is text."""

from dataclasses import replace

import pytest
from browsing import artifacts, chromium, elsewhere, heard, in_a_browser

import convlab
from convlab.charts.palette import THEMES
from convlab.costs import profile
from convlab.report import contents, page

pytestmark = in_a_browser

PAPERS = """() => [document.body, ...document.querySelectorAll(".main-svg:first-child")].map(
    each => getComputedStyle(each).backgroundColor)"""
"""The colours that the page and its charts are drawn on."""


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def path(asked, tmp_path_factory):
    """The page of a report about three designs."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    three = replace(asked, profiles=[*asked.profiles, profile(convlab.load("swin_t"))])
    path.write_text(page(contents(three)), encoding="utf-8")
    return path


@pytest.fixture(params=["light"])
def opened(browser, path, tmp_path, request):
    """The page, for a reader who has it light, with what it said and asked for."""
    shown = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme=request.param)
    said, asked = heard(shown)
    shown.goto(path.as_uri())
    shown.wait_for_function("[...document.querySelectorAll('.chart')].every(chart => chart.querySelector('.main-svg'))")
    yield shown, said, asked
    shown.screenshot(path=artifacts(tmp_path) / f"{request.node.name}.png", full_page=True)
    shown.close()


def test_charts_are_drawn_and_nothing_is_asked_for(opened):
    shown, said, asked = opened
    assert shown.locator("figure").count() >= 10
    assert said == []
    assert elsewhere(asked, shown.url) == []


@pytest.mark.parametrize("opened", ["dark"], indirect=True)
def test_it_is_dark_where_the_reader_has_it_dark_and_light_on_paper(opened):
    shown, said, _ = opened
    _wait_for_paper(shown, "dark")
    shown.emulate_media(color_scheme="light")
    _wait_for_paper(shown, "light")
    shown.emulate_media(color_scheme="dark")
    _wait_for_paper(shown, "dark")
    shown.emulate_media(color_scheme="dark", media="print")
    _wait_for_paper(shown, "light")
    shown.emulate_media(color_scheme="dark", media="screen")
    _wait_for_paper(shown, "dark")
    assert said == []


def test_what_is_named_is_text(opened, evil):
    shown, _, _ = opened
    assert evil.name in shown.locator("h1").inner_text()
    assert shown.locator("img").count() == 0
    # The charts' legends, too.
    assert shown.locator(".legendtext", has_text=evil.name).count() > 0


def test_a_script_that_came_in_would_not_run(opened):
    shown, _, _ = opened
    ran = shown.evaluate("""() => {
        const added = document.createElement("script");
        added.textContent = "window.ran = true";
        document.body.append(added);
        return window.ran === true;
    }""")
    assert not ran


def test_it_fits_a_narrow_window(opened):
    shown, _, _ = opened
    shown.set_viewport_size({"width": 400, "height": 800})
    assert shown.evaluate("document.documentElement.scrollWidth") <= 400
    for chart in shown.locator("figure").all():
        chart.hover()
        toolbar, title = chart.locator(".modebar").bounding_box(), chart.locator(".gtitle").bounding_box()
        assert toolbar["y"] + toolbar["height"] <= title["y"]


def _wait_for_paper(shown, theme):
    paper = THEMES[theme].paper
    color = f"rgb({', '.join(str(int(paper[place : place + 2], 16)) for place in (1, 3, 5))})"
    shown.wait_for_function(f"color => ({PAPERS})().every(each => each === color)", arg=color)
