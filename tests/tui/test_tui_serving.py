"""The lab in real surroundings: a terminal under tmux, a browser's page, and jobs of real workers."""

import asyncio
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
from seeing import driven, lab_of

from convlab.tui.serving import PAGES


def test_the_page_asks_no_other_host():
    page = (PAGES / "app_index.html").read_text()
    assert not re.findall(r"(?:https?:)?//[a-z0-9]", page)
    # Every address of the page is made of the server's own.
    addresses = re.findall(r"(?:src|href)=\"([^\"]+)\"|url\(\"([^\"]+)\"\)", page)
    assert addresses
    assert all((one or other).startswith(("{{ config.static.url }}", "data:,")) for one, other in addresses)


@pytest.mark.slow
def test_it_is_served_on_this_machine_only(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "convlab", "tui", "convnext_t", "--serve", "--port", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        page = _fetched(f"http://127.0.0.1:{port}/")
        assert "convlab begins" in page
        for path in re.findall(rf"http://127.0.0.1:{port}(/static/[^\"]+)", page):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                assert answer.status == 200
        assert asyncio.run(_first_bytes(f"http://127.0.0.1:{port}/ws"))
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)
        server.stdout.close()


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


@pytest.mark.slow
def test_a_measurement_begins_and_is_cancelled(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLAB_STORE", str(tmp_path / "runs.sqlite"))

    async def deeds(app, pilot):
        lab = lab_of(app)
        await pilot.press("m")
        await pilot.pause()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert [job.kind for job in app.job_states] == ["bench"]
        assert lab.panes.tab == "curves"
        await pilot.press("k")
        assert app.clipboard.startswith("convlab bench convnext_atto")
        await pilot.press("escape", "plus")  # nothing waits for it
        assert lab.session.can_undo
        await pilot.press("c")
        for _ in range(400):
            if not app.job_states[0].running:
                break
            await pilot.pause(0.1)
        assert app.job_states[0].status == "stopped"

    driven(deeds, "convnext_atto", folder=tmp_path)
