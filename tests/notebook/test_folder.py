"""`convlab lab`: notebooks are copied, never over a file of the user's, and JupyterLab serves them on this machine alone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from convlab.errors import ConvlabError
from convlab.notebook.folder import copy_notebooks, first_page, notebooks, server_command


def test_copies_are_made_and_a_file_that_is_there_is_kept(tmp_path):
    folder = tmp_path / "mine" / "notebooks"
    first = copy_notebooks(folder)
    assert len(first.written) == 7
    assert not first.kept
    changed = folder / "1_first_design.ipynb"
    changed.write_text("mine")
    (folder / "2_roadmap.ipynb").unlink()
    second = copy_notebooks(folder)
    assert second.written == ("2_roadmap.ipynb",)
    assert len(second.kept) == 6
    assert changed.read_text() == "mine"
    assert (folder / "2_roadmap.ipynb").read_bytes() == notebooks()[1].read_bytes()


def test_a_link_to_nowhere_is_not_followed(tmp_path):
    (tmp_path / "1_first_design.ipynb").symlink_to(tmp_path / "elsewhere")
    assert "1_first_design.ipynb" in copy_notebooks(tmp_path).kept
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_in_the_folders_place_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConvlabError, match="it is a file"):
        copy_notebooks(tmp_path / "file")


def test_the_server_listens_on_this_machine_alone(tmp_path):
    words = server_command(tmp_path, port=0, browser=True)
    assert "--ServerApp.ip=127.0.0.1" in words
    assert "--no-browser" not in words
    assert "--ServerApp.port=8899" in server_command(tmp_path, port=8899, browser=False)
    assert f"--LabApp.default_url={first_page(tmp_path)}" in words
    assert first_page(tmp_path).endswith("/tree/1_first_design.ipynb")
    assert first_page(tmp_path) != first_page(tmp_path / "other")  # the tabs of one folder do not come up in another


STANDS_IN = """
import os, time
from convlab.notebook.serving import PARENT, follow
follow()
print("serving", PARENT in os.environ, flush=True)
time.sleep(60)
"""
"""What follows its parent as the server does, without being one."""

SERVES = f"import sys; from convlab.cli.lab import _serve; sys.exit(_serve([sys.executable, '-c', {STANDS_IN!r}]))"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_what_ends_the_command_ends_the_server(sent):
    with subprocess.Popen([sys.executable, "-c", SERVES], stdout=subprocess.PIPE) as command:
        assert command.stdout.readline() == b"serving False\n"  # kernels have another parent
        command.send_signal(sent)
        assert command.stdout.read() == b""  # which the server held, too
        assert command.wait() == (-sent if sent == signal.SIGKILL else 128 + sent)


@pytest.mark.slow
def test_the_command_serves_until_it_is_stopped(tmp_path):
    port = _free_port()
    command = [sys.executable, "-m", "convlab", "lab", str(tmp_path / "mine"), "--no-browser", "--port", str(port)]
    environment = {**os.environ, "JUPYTER_TOKEN": "secret", "HOME": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as lab:
        try:
            found = _asked(f"http://127.0.0.1:{port}/api/contents?token=secret", lab)
            assert "1_first_design.ipynb" in [each["name"] for each in found["content"]]
            news = "@jupyterlab/apputils-extension:notification"
            asked = _asked(f"http://127.0.0.1:{port}/lab/api/settings/{news}?token=secret", lab)
            assert asked["schema"]["properties"]["fetchNews"]["default"] == "false"
            lab.terminate()  # this process alone
            lab.communicate(timeout=60)  # which ends where the server and its kernels have ended, too
            with pytest.raises(urllib.error.URLError, match="refused"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token=secret", timeout=10)
        finally:
            if lab.poll() is None:
                os.killpg(lab.pid, signal.SIGKILL)


def _asked(address, process):
    until = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < until
            time.sleep(0.3)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
