"""A report in a browser: charts are drawn, the console stays quiet, nothing is asked of the network, and what is named is text."""

import os
import shutil
from pathlib import Path

import pytest

from convlab.report import contents, page

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra dev")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt install chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of playwright's own loop
]


@pytest.fixture(scope="module")
def browser():
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    with playwright.sync_playwright() as tool:
        opened = tool.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, asked, tmp_path, request):
    """The page of a report, with what it said and asked for."""
    path = tmp_path / "report.html"
    path.write_text(page(contents(asked)), encoding="utf-8")
    shown = browser.new_page(viewport={"width": 1200, "height": 900})
    said, requests = [], []
    shown.on("console", lambda message: said.append((message.type, message.text)))
    shown.on("pageerror", lambda error: said.append(("error", str(error))))
    shown.on("dialog", lambda dialog: said.append(("dialog", dialog.message)))
    shown.on("request", lambda request: requests.append(request.url))
    shown.goto(path.as_uri())
    shown.wait_for_function("[...document.querySelectorAll('.chart')].every(chart => chart.querySelector('.main-svg'))")
    yield shown, said, requests
    if "CONVLAB_ARTIFACTS" in os.environ:
        shown.screenshot(path=Path(os.environ["CONVLAB_ARTIFACTS"], f"{request.node.name}.png"), full_page=True)
    shown.close()


def test_charts_are_drawn_and_nothing_is_asked_for(opened):
    shown, said, requests = opened
    assert shown.locator("figure").count() >= 9
    assert not [each for each in said if each[0] in ("error", "warning", "dialog")]
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [shown.url]


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
