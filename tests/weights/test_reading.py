"""Reading: safetensors and PyTorch checkpoints by their content; what is broken, foreign or dangerous is refused in plain words."""

import argparse
import pickle
import socket
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from convlab import ConvlabError
from convlab.weights.reading import metadata, read

STATE = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2, dtype=torch.float16)}


class Trap:
    """Whoever unpickles it as it asks leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def same(found):
    assert found.keys() == STATE.keys()
    return all(torch.equal(tensor, STATE[key]) and tensor.dtype == STATE[key].dtype for key, tensor in found.items())


def refused(path):
    with pytest.raises(ConvlabError) as told:
        read(path)
    assert told.value.exit_code in (1, 2, 3)
    return str(told.value)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.bin"])
def test_safetensors_whatever_their_name(name, tmp_path):
    save_file(STATE, tmp_path / name, {"convlab_design": "mine"})
    assert same(read(tmp_path / name))
    assert metadata(tmp_path / name) == {"convlab_design": "mine"}


@pytest.mark.parametrize("wrapper", ["", "model", "state_dict", "model_state_dict", "model_ema"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
@pytest.mark.parametrize("new", [True, False])
def test_checkpoints_of_pytorch(wrapper, prefix, new, tmp_path):
    state = {prefix + key: tensor for key, tensor in STATE.items()}
    options = argparse.Namespace(lr=0.1, model="convnext_tiny")
    whole = (
        {"optimizer": {"state": {0: torch.zeros(2)}}, "epoch": 3, wrapper: state, "args": options} if wrapper else state
    )
    torch.save(whole, tmp_path / "weights.pth", _use_new_zipfile_serialization=new)
    assert same(read(tmp_path / "weights.pth"))
    assert metadata(tmp_path / "weights.pth") == {}


def test_a_safetensors_file_of_a_compiled_model(tmp_path):
    save_file({f"_orig_mod.{key}": tensor for key, tensor in STATE.items()}, tmp_path / "weights.safetensors")
    assert same(read(tmp_path / "weights.safetensors"))


def test_names_that_are_no_text_are_left_out(tmp_path):
    torch.save(STATE | {0: torch.zeros(2)}, tmp_path / "weights.pth")
    assert same(read(tmp_path / "weights.pth"))


def test_the_weights_come_before_their_average(tmp_path):
    torch.save({"model_ema": {"a": torch.zeros(1)}, "model": STATE}, tmp_path / "weights.pth")
    assert same(read(tmp_path / "weights.pth"))


def test_a_folder_of_transformers(tmp_path):
    assert "this is a folder" in refused(tmp_path)
    torch.save(STATE, tmp_path / "pytorch_model.bin")
    assert same(read(tmp_path))
    assert metadata(tmp_path) == {}
    save_file(STATE, tmp_path / "model.safetensors", {"convlab_design": "mine"})
    (tmp_path / "pytorch_model.bin").write_text("unread")
    assert same(read(tmp_path))
    assert metadata(tmp_path) == {"convlab_design": "mine"}


@pytest.mark.parametrize("name", ["timm", "hf", "torchvision"])
def test_a_folder_that_is_called_as_a_hub(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    save_file(STATE, tmp_path / name / "model.safetensors")
    assert same(read(name))


@pytest.mark.parametrize("part", [0.5, 0.999])
@pytest.mark.parametrize("kind", ["safetensors", "zip", "pickle"])
def test_a_cut_file(kind, part, tmp_path):
    path = tmp_path / "weights"
    state = {"a": torch.randn(100, 100)}
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    told = refused(path)
    assert "the file is damaged or cut off" in told
    assert "fetch the file again" in told


@pytest.mark.parametrize("length", range(1, 60, 3))
def test_a_file_cut_near_its_beginning(length, tmp_path):
    for kind in ("safetensors", "zip", "pickle"):
        path = tmp_path / kind
        if kind == "safetensors":
            save_file(STATE, path)
        else:
            torch.save(STATE, path, _use_new_zipfile_serialization=kind == "zip")
        path.write_bytes(path.read_bytes()[:length])
        assert "error: " in refused(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"depths = [3, 3, 9, 3]\n" * 40, "this is a text file"),
        ("größer ".encode() * 100, "this is a text file"),
        (b"<!DOCTYPE html><html>", "this is a text file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "this is a pointer of git-lfs"),
        (b"\xff\xfe\x00\x99" * 1000, "this is no checkpoint"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00{not json at all", "damaged"),
        (b"\xff\xff\xff\xff\xff\xff\xff\x7f{", "damaged"),
    ],
)
def test_files_that_are_no_checkpoints(content, message, tmp_path):
    (tmp_path / "weights.pth").write_bytes(content)
    assert message in refused(tmp_path / "weights.pth")


def test_an_archive_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "weights.zip", "w") as archive:
        archive.writestr("readme.txt", "no weights")
    assert "damaged or cut off" in refused(tmp_path / "weights.zip")


@pytest.mark.parametrize("how", ["zip", "pickle", "plain"])
def test_code_in_a_pickle_is_not_run(how, tmp_path):
    path, proof = tmp_path / "weights.pth", tmp_path / "proof"
    harmful = {"model": STATE, "extra": Trap(proof)}
    if how == "plain":
        path.write_bytes(pickle.dumps(harmful))
    else:
        torch.save(harmful, path, _use_new_zipfile_serialization=how == "zip")
    told = refused(path)
    assert not proof.exists()
    assert "this checkpoint is refused" in told
    assert "could run any code" in told
    assert "ask its source for safetensors" in told


def test_a_whole_model_is_refused(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pt")
    assert 'it asks for "torch.nn.modules.linear.Linear"' in refused(tmp_path / "model.pt")


@pytest.mark.parametrize("content", [{"epoch": 3, "lr": 0.1}, [1, 2], {}, torch.zeros(3)])
def test_a_checkpoint_without_weights(content, tmp_path):
    torch.save(content, tmp_path / "weights.pth")
    assert "there is no state dict in this checkpoint" in refused(tmp_path / "weights.pth")


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.eye(3).to_sparse(), "is a sparse or quantized tensor"),
        (torch.eye(3, dtype=torch.complex64), "is a tensor of complex numbers"),
        (torch.eye(3, device="meta"), "was saved on the meta device"),
    ],
    ids=["sparse", "complex", "meta"],
)
def test_tensors_that_no_layer_takes(tensor, message, tmp_path):
    torch.save(STATE | {"b": tensor}, tmp_path / "weights.pth")
    assert f'"b" {message}' in refused(tmp_path / "weights.pth")


def test_a_name_that_is_too_long(tmp_path):
    assert "cannot read it: File name too long" in refused(tmp_path / ("long" * 100))
    assert metadata(tmp_path / ("long" * 100)) == {}


def test_files_that_are_not_there(tmp_path):
    assert "there is no file" in refused(tmp_path / "weights.pth")
    assert "timm:, torchvision:, hf:" in refused("weights.pth")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm:convnext_tinny", 'did you mean "convnext_tiny"?'),
        ("timm:convnext_tiny.fb_in99k", "its weights: convnext_tiny."),
        ("torchvision:convnext_tinny", 'did you mean "convnext_tiny"?'),
        ("torchvision:convnext_tiny.V9", "its weights: convnext_tiny.IMAGENET1K_V1"),
        ("hf:", "such as hf:facebook/convnext-tiny-224"),
    ],
)
def test_published_names_that_are_not_there(name, message):
    assert message in refused(name)


@pytest.mark.parametrize("name", ["timm:convnext_zepto_rms", "torchvision:squeezenet1_1", "hf:convlab/nothing"])
def test_without_a_network_there_is_one_message(name, monkeypatch, tmp_path, capfd):
    from huggingface_hub import constants

    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    told = refused(name)
    assert f'could not fetch "{name}"' in told
    assert "download the file yourself" in told
    assert "Retrying" not in capfd.readouterr().err
