"""The lab in real surroundings: a terminal under tmux, and a browser's page."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from convlab.tui.serving import PAGES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FLAGS += ["--no-sandbox"] * (hasattr(os, "geteuid") and os.geteuid() == 0)


def test_the_page_asks_no_other_host():
    page = (PAGES / "app_index.html").read_text()
    assert not re.findall(r"(?:https?:)?//[a-z0-9]", page)
    # Every address of the page is made of the server's own.
    addresses = re.findall(r"(?:src|href)=\"([^\"]+)\"|url\(\"([^\"]+)\"\)", page)
    assert addresses
    assert all((one or other).startswith(("{{ config.static.url }}", "data:,")) for one, other in addresses)


@contextlib.contextmanager
def served(source, folder):
    """The lab of a design as a browser finds it: its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "XDG_STATE_HOME": str(folder)}
    command = [sys.executable, "-m", "convlab", "tui", str(source), "--serve", "--port", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)
        server.stdout.close()


@pytest.mark.slow
def test_it_is_served_on_this_machine_only(tmp_path):
    with served("convnext_t", tmp_path) as address:
        page = _fetched(f"{address}/")
        assert "convlab begins" in page
        for path in re.findall(rf"{address}(/static/[^\"]+)", page):
            with urllib.request.urlopen(f"{address}{path}") as answer:
                assert answer.status == 200
        assert asyncio.run(_first_bytes(f"{address}/ws"))


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt install chromium")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of playwright's own loop
def test_in_a_real_browser(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra dev")
    path = tmp_path / "mine.toml"
    path.write_text('base = "convnext_atto"  # mine\n')
    with served(path, tmp_path) as address, playwright.sync_playwright() as tool:
        _fetched(f"{address}/")
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1200, "height": 800})
            asked = []
            page.on("request", lambda request: asked.append(request.url))
            page.goto(address)
            page.wait_for_selector("body.-first-byte", timeout=60_000)
            page.wait_for_timeout(3000)  # it paints on a canvas, in which nothing can be waited for
            page.keyboard.press("+")
            page.keyboard.press("Control+s")
            end = time.monotonic() + 60
            while "3" not in path.read_text():  # what was typed in the browser is in the file
                assert time.monotonic() < end, path.read_text()
                page.wait_for_timeout(200)
            assert path.read_text() == 'base = "convnext_atto"  # mine\ndepths = [3, 2, 6, 2]\n'
            assert all(url.startswith((address, address.replace("http", "ws"), "data:", "blob:")) for url in asked), (
                asked
            )
        finally:
            browser.close()


def _fetched(address):
    for _ in range(200):
        try:
            with urllib.request.urlopen(address) as answer:
                return answer.read().decode()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")


async def _first_bytes(address):
    """What the lab sends first to the browser's terminal."""
    import aiohttp

    async with aiohttp.ClientSession() as session, session.ws_connect(f"{address}?width=100&height=30") as socket:
        async for message in socket:
            if message.type == aiohttp.WSMsgType.BINARY and message.data:
                return message.data
    return b""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_a_real_terminal(tmp_path):
    socket_name = f"convlab-{os.getpid()}"

    def tmux(*words):
        done = subprocess.run(["tmux", "-L", socket_name, *words], capture_output=True, text=True, check=False)
        return done.stdout

    def shows(text):
        for _ in range(200):
            screen = tmux("capture-pane", "-p", "-t", "lab")
            if text in screen:
                return screen
            time.sleep(0.1)
        raise AssertionError(f"{text!r} is not in:\n{screen}")

    command = f"XDG_STATE_HOME={tmp_path} {sys.executable} -m convlab tui convnext_t; echo code $?; sleep 60"
    tmux("new-session", "-d", "-s", "lab", "-x", "100", "-y", "30", command)
    try:
        shows("stages.0.depth = 3")
        tmux("send-keys", "-t", "lab", "+")
        shows("4*")
        tmux("send-keys", "-t", "lab", "1", "2", "Enter")
        shows("stages.0.depth = 12")
        tmux("send-keys", "-t", "lab", "q")
        shows("Unsaved changes")
        tmux("send-keys", "-t", "lab", "d")
        screen = shows("code 0")
        assert "Traceback" not in screen
    finally:
        tmux("kill-server")
