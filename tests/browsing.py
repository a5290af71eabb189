"""A real browser for tests: Debian's chromium, driven by playwright, which asks no host for anything of its own accord."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ARTIFACTS = "CONVLAB_ARTIFACTS"
"""Where pictures go; the test's own folder where it is not set."""

in_a_browser = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt install chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of playwright's own loop
]


@contextmanager
def chromium():
    """A fresh chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright here: pip install playwright")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = [*FLAGS, *(["--no-sandbox"] if root else [])]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            yield browser
        finally:
            browser.close()


def heard(page):
    """What a page says from now on, on its console, as errors and in dialogs; and the addresses that it asks for."""
    said, asked = [], []
    page.on("console", lambda message: said.append((message.type, message.text)))
    page.on("pageerror", lambda error: said.append(("error", str(error))))
    page.on("dialog", lambda dialog: said.append(("dialog", dialog.message)))
    page.on("request", lambda request: asked.append(request.url))
    return said, asked


def elsewhere(asked, home):
    """The addresses that are neither under ``home`` nor in the page itself."""
    return [url for url in asked if not url.startswith((home, "data:", "blob:"))]


def artifacts(otherwise):
    """The folder for pictures."""
    folder = Path(os.environ.get(ARTIFACTS) or otherwise)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
