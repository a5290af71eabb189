"""Uploading: only when asked, never where it cannot work, and against a hub on this machine that takes what is sent."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from huggingface_hub import constants
from systems import tiny

from convlab import ConvlabError, export

COMMIT = "0" * 40


class Hub(ThreadingHTTPServer):
    """As much of the Hugging Face hub as an upload needs: it makes a repository and keeps the files of a commit."""

    def __init__(self, refusal=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.refusal = refusal
        self.made, self.files, self.tokens = [], {}, set()

    def answer(self, path, body):
        if path == "/api/repos/create":
            self.made.append(json.loads(body))
            return {"url": f"{self.address}/somebody/network"}
        if "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            return {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]}
        if "/commit/" in path:
            lines = [json.loads(line) for line in body.splitlines()]
            sent = [line["value"] for line in lines if line["key"] == "file"]
            self.files |= {file["path"]: base64.b64decode(file["content"]) for file in sent}
            return {
                "success": True,
                "commitOid": COMMIT,
                "commitUrl": f"{self.address}/somebody/network/commit/{COMMIT}",
            }
        return {"sha": COMMIT, "id": "somebody/network"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.tokens.add(self.headers.get("Authorization"))
        refused = self.server.refusal
        content = json.dumps({"error": "no"} if refused else self.server.answer(self.path, body)).encode()
        self.send_response(refused or 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def hub(request, monkeypatch):
    """A hub; its parameter is the status with which it refuses everything."""
    with Hub(getattr(request, "param", None)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def logged_out(monkeypatch, tmp_path):
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no_token"))


def test_a_folder_is_uploaded_as_it_was_written(hub, tmp_path):
    found = export(tiny("resnet18"), to="hub", path=tmp_path / "folder", push="somebody/network")
    assert hub.made[0]["name"] == "network"
    assert hub.files == {file.name: file.read_bytes() for file in found.files}
    assert b'timm.create_model("hf-hub:somebody/network", pretrained=True)' in hub.files["README.md"]
    assert "Bearer hf_secret" in hub.tokens


def test_nothing_is_uploaded_unasked(hub, tmp_path):
    export(tiny("resnet18"), to="hub", path=tmp_path / "folder")
    assert (hub.made, hub.files, hub.tokens) == ([], {}, set())


@pytest.mark.parametrize("hub", [401], indirect=True)
def test_a_refusal_of_the_hub_leaves_the_folder(hub, tmp_path):
    with pytest.raises(ConvlabError) as raised:
        export(tiny("resnet18"), to="hub", path=tmp_path / "folder", push="somebody/network")
    assert raised.value.exit_code == 3
    assert "401" in str(raised.value)
    assert "hf upload somebody/network" in str(raised.value)
    assert "hf_secret" not in str(raised.value)
    assert (tmp_path / "folder" / "model.safetensors").is_file()


def test_a_hub_that_is_not_there(monkeypatch, tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with pytest.raises(ConvlabError) as raised:
        export(tiny("resnet18"), to="hub", path=tmp_path / "folder", push="somebody/network")
    assert raised.value.problems[0].code == "not-pushed"


def test_logged_out_is_told_before_anything_is_made(logged_out, tmp_path):
    with pytest.raises(ConvlabError) as raised:
        export(tiny("resnet18"), to="hub", path=tmp_path / "folder", push="somebody/network")
    assert str(raised.value) == (
        "error: you are not logged in to the Hugging Face hub\n   = help: hf auth login, or a token in HF_TOKEN"
    )
    assert list(tmp_path.iterdir()) == []


def test_offline_is_told_before_anything_is_made(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConvlabError, match="offline mode"):
        export(tiny("resnet18"), to="hub", path=tmp_path / "folder", push="somebody/network")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["network", "some body/network", "a/b/c", "somebody/", "-x/y"])
def test_a_name_that_is_no_repository(hub, tmp_path, name):
    with pytest.raises(ConvlabError, match="is no repository of the hub"):
        export(tiny("resnet18"), to="hub", path=tmp_path / "folder", push=name)
    assert hub.made == []


def test_only_a_folder_for_the_hub_is_uploaded(hub, tmp_path):
    with pytest.raises(ConvlabError, match="only a folder for the hub is uploaded"):
        export(tiny("resnet18"), to="toml", path=tmp_path / "design.toml", push="somebody/network")
