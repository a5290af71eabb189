"""The documentation site: what is declared in the code is on it, its links lead somewhere, and it asks no other host for anything."""

import os
import re
import subprocess
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browsing import artifacts, chromium, elsewhere, heard, in_a_browser

from convlab.errors import CODES
from convlab.metrics import METRICS
from convlab.presets import preset_names
from convlab.views.knob_paths import knob_paths

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))
from building import PARTS, cards, text  # noqa: E402  # beside the pages

PAGES = [path for path in (ROOT / "docs").rglob("*.md") if "decisions" not in path.parts]
MARK = re.compile(r"<!-- generated: ([\w-]+) -->")


class Links(HTMLParser):
    """What a page links to, what it loads, and the places in it that can be linked to."""

    def __init__(self, html):
        super().__init__()
        self.links, self.loaded, self.places = [], [], set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.places |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "preconnect", "dns-prefetch"):
            self.loaded.append(given["href"])
        elif given.get("src"):
            self.loaded.append(given["src"])


def test_every_part_is_asked_for_and_there():
    asked = {name for page in PAGES for name in MARK.findall(page.read_text(encoding="utf-8"))}
    assert asked == set(PARTS)


@pytest.mark.parametrize("path", knob_paths())
def test_every_knob_has_an_entry(path):
    part = f"{path.partition('.')[0]}-knobs" if "." in path else "design-knobs"
    assert f"{{ #{path} }}" in PARTS[part]()


def test_codes_and_metrics_have_entries():
    codes, metrics = PARTS["error-codes"](), PARTS["metrics"]()
    assert all(f"### {code} {{ #{code} }}" in codes for code in CODES)
    assert all(text.code(name) in metrics for name in METRICS)


def test_every_preset_is_linked_from_its_family_and_every_step_from_the_walk():
    families, walk = PARTS["presets"](), PARTS["walk-table"]()
    assert all(families.count(f"]({name}.md)") == 1 for name in preset_names())
    assert "## Others" not in families
    assert all(f"](presets/{name.replace('/', '-')}.md)" in walk for name in preset_names("roadmap"))


def test_the_walk_figure_has_every_published_step():
    shown = re.findall(r'class="word start"[^>]*>([\d.]+)<', PARTS["walk-figure"]())
    assert shown[0] == "78.82"
    assert "81.97" in shown
    assert len(shown) == len(preset_names("roadmap")) + 1  # Swin-T stands beside them


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("a|b", "a&#124;b"),
        ("<i>", "&lt;i&gt;"),
        ("_x_ `y_z`", "&#95;x&#95; <code>y&#95;z</code>"),
        ("{ #a }", "&#123; &#35;a &#125;"),
    ],
)
def test_text_is_shown_letter_by_letter(words, shown):
    assert text.prose(words) == shown


def test_the_scorecard_names_what_there_is():
    card = (ROOT / "docs" / "scorecard.md").read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", card))
    assert named <= set(re.findall(r"def (test_\w+)\(", tests)), "what shows a promise has gone, or has another name"
    assert all((ROOT / path).is_file() for path in re.findall(r"`((?:benchmarks|\.ci)/[\w.]+)`", card))
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", card, re.MULTILINE)] == [*range(1, 44)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as .ci/run builds it."""
    pytest.importorskip("material", reason="needs mkdocs-material, of the extra docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if path.name != "404.html"}


@pytest.mark.slow
def test_every_preset_has_a_page(site):
    for name in cards.names():
        page = (site / "presets" / f"{name.replace('/', '-')}.html").read_text(encoding="utf-8")
        assert page.count('class="card"') == 6
        assert "<svg" in page


@pytest.mark.slow
def test_links_lead_somewhere(site, pages):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                assert parts.scheme in ("https", "mailto"), (path, link)
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            there = target.is_file() and (
                target not in pages or not parts.fragment or parts.fragment in pages[target].places
            )
            if not there and parts.fragment != "__skip":
                broken.append((str(path.relative_to(site)), link))
    assert not broken


@pytest.mark.slow
def test_nothing_is_loaded_from_another_host(site, pages):
    assert not [url for page in pages.values() for url in page.loaded if urlsplit(url).netloc]
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", styles)


@pytest.mark.slow
def test_nothing_of_the_checkout_but_pages_is_published(site):
    assert not [path for path in site.rglob("*") if path.suffix in (".py", ".pyc") or path.name == "__pycache__"]
    assert (site / "schema" / "design.json").is_file()


@pytest.fixture
def served(site):
    """The address of the site: its search wants a server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class TestInABrowser:
    """The pages as a reader sees them."""

    pytestmark = in_a_browser

    def test_pages_are_quiet_ask_no_other_host_and_are_found_by_search(self, served, tmp_path):
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1300, "height": 900})
            said, asked = heard(page)
            page.goto(served)
            page.screenshot(path=artifacts(tmp_path) / "site_front_page.png")
            page.locator(".md-search__input").press_sequentially("receptive")
            page.locator(".md-search-result__link").first.wait_for()
            page.locator(".md-search__input").fill("")
            page.locator(".md-search__input").press_sequentially("convnext_swin_t")
            page.locator(".md-search-result__link[href*='convnext_swin_t.html']").first.click()
            page.wait_for_url("**/presets/convnext_swin_t.html*")
            assert "convnext_swin_t" in page.locator("h1").inner_text()
            assert page.locator(".card").count() == 6
            page.screenshot(path=artifacts(tmp_path) / "site_preset.png")
        assert said == []
        assert elsewhere(asked, served) == []
