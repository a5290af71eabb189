"""export: what is written and verified, what is told of it, and what is refused before anything is made."""

from __future__ import annotations

import re
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch
from test_cli_process import HEAVY, modules, on_terminal

import convlab
from convlab.exports import FORMATS

SMALL = ("convnext_atto", "--set", "depths=[1, 1, 1, 1]", "--set", "widths=[8, 8, 16, 16]", "--image", "32")
FILES = {"onnx": "convnext_atto.onnx", "torch-export": "convnext_atto.pt2", "safetensors": "convnext_atto.safetensors"}
FILES |= {"hub": "convnext_atto_hub", "toml": "convnext_atto.toml", "python": "convnext_atto.py"}


@pytest.mark.parametrize("to", FORMATS)
def test_what_is_there_stays_unless_forced_and_every_format_is_written_checked_and_told(
    to: str, shell: Callable
) -> None:
    place = Path(FILES[to])
    if to == "hub":
        place.mkdir()
    text = place / "README.md" if to == "hub" else place
    text.write_text("old")
    ran = shell("export", *SMALL, "--to", to)
    assert ran.code == 2
    assert ran.err == (
        f'error: "{place}" is already there\n   = help: --force overwrites it (force=True in Python); or name another place\n'
    )
    assert text.read_text() == "old"
    ran = shell("export", *SMALL, "--to", to, "--force")
    assert ran.code == 0, ran.err
    assert text.read_bytes() != b"old"
    assert [path.name for path in Path.cwd().iterdir()] == [place.name]
    lines = ran.out.splitlines()
    assert re.fullmatch(rf"convnext_atto: .* written to {FILES[to]}, [\d.]+ (B|KiB|MiB), in \d+\.\d\d s", lines[0])
    if FORMATS[to].weights:
        assert lines[1].startswith("verified: ")
        assert ran.err == "note: the weights are random (seed 0)\n   = help: --weights FILE writes trained ones\n"
    else:
        assert ran.err == ""


@pytest.mark.parametrize("to", ["onnx", "hub", "toml"])
def test_json(to: str, shell: Callable) -> None:
    ran = shell("export", *SMALL, "--to", to, "-o", f"out{FORMATS[to].ending}", "--json", "--quiet", "--seed", "3")
    assert (ran.code, ran.err) == (0, "")
    found = ran.json
    assert (found["schema_version"], found["design"], found["format"], found["path"]) == (
        1,
        "convnext_atto",
        to,
        f"out{FORMATS[to].ending}",
    )
    assert found["bytes"] == sum(Path(file).stat().st_size for file in found["files"])
    assert found["sets"] == ["depths=[1, 1, 1, 1]", "widths=[8, 8, 16, 16]"]
    assert found["seconds"] > 0
    assert found["pushed"] is None
    assert found["weights"] == (None if to == "toml" else {"source": None, "seed": 3, "random": []})
    checked = {"onnx": 2, "hub": 1, "toml": 0}[to]
    assert len(found["checks"]) == checked
    assert found["difference"] == max((check["difference"] for check in found["checks"]), default=None)


def test_weights_of_a_file_are_those_that_are_written(shell: Callable) -> None:
    from safetensors.torch import load_file

    shell("build", *SMALL, "--device", "cpu", "--save", "trained.safetensors", "--seed", "5")
    ran = shell("export", *SMALL, "--to", "safetensors", "-o", "out.safetensors", "--weights", "trained.safetensors")
    assert (ran.code, ran.err) == (0, "")
    given, written = load_file("trained.safetensors"), load_file("out.safetensors")
    assert given.keys() == written.keys()
    assert all(torch.equal(given[path], tensor) for path, tensor in written.items())


def test_weights_that_a_backbone_lacks_are_told(shell: Callable) -> None:
    from safetensors.torch import save_file

    from convlab.weights.layouts import from_convlab

    design = convlab.load("convnext_v2_atto", sets=("depths=[1, 1, 1, 1]", "widths=[8, 8, 16, 16]"))
    save_file(from_convlab(convlab.build(design).state_dict(), design, "fcmae"), "backbone.safetensors")
    sets = ("--set", "depths=[1, 1, 1, 1]", "--set", "widths=[8, 8, 16, 16]")
    ran = shell("export", "convnext_v2_atto", *sets, "--to", "safetensors", "--weights", "backbone.safetensors")
    assert ran.code == 0
    assert (
        "note: random, since the given weights lack them: head.norm.weight, head.norm.bias, head.fc.weight" in ran.err
    )


def test_toml_on_a_base(shell: Callable) -> None:
    assert shell("export", *SMALL, "--to", "toml", "-o", "mine.toml", "--on", "convnext_atto").code == 0
    assert 'base = "convnext_atto"' in Path("mine.toml").read_text()
    assert convlab.load("mine.toml") == convlab.load("convnext_atto", sets=(SMALL[2], SMALL[4], "image.size=32"))


def test_a_head_of_other_classes_may_be_ignored(shell: Callable) -> None:
    shell("build", *SMALL, "--device", "cpu", "--save", "trained.safetensors", "--seed", "5")
    other = ("export", *SMALL, "--set", "head.classes=7", "--to", "safetensors", "--weights", "trained.safetensors")
    ran = shell(*other)
    assert ran.code == 1
    assert "--ignore head.fc" in ran.err
    ran = shell(*other, "--ignore", "head.fc")
    assert ran.code == 0, ran.err
    assert "random, since they are ignored or the given weights lack them: head.fc.weight, head.fc.bias" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "onix"), 'there is no format "onix"'),
        (("--to", "onnx", "-o", "nowhere/network.onnx"), "its folder is not there"),
        (("--to", "onnx", "-o", "."), "it is a folder"),
        (("--to", "hub", "-o", "nowhere/folder"), "its folder is not there"),
        (("--to", "safetensors", "-o", "network.pth"), "name it network.safetensors"),
        (("--to", "onnx", "-o", "network"), "name it network.onnx"),
        (("--to", "toml", "-o", "network.py"), "name it network.toml"),
        (("--to", "python", "-o", "my-network.py"), "name it my_network.py"),
        (("--to", "python", "-o", "torch.py"), "name it torch_network.py"),
        (("--to", "onnx", "-o", "long" * 100), "File name too long"),
        (("--to", "hub", "-o", "long" * 100), "File name too long"),
        (("--to", "onnx", "-o", "-"), "an export goes to a place, not to stdout"),
        (("--to", "hub", "-o", "-"), "an export goes to a place, not to stdout"),
        (("--to", "onnx", "--ignore", "head"), "there are no weights to ignore a part of"),
        (("--to", "toml", "--weights", "x"), "toml holds no weights"),
        (("--to", "safetensors", "--folded"), "safetensors holds the network as it is written"),
        (("--to", "onnx", "--on", "convnext_t"), "only a TOML file has a base"),
        (("--to", "onnx", "--push", "a/b"), "only a folder for the hub is uploaded"),
        (("--to", "onnx", "--weights", "none.safetensors"), 'there is no file "none.safetensors"'),
        (("--to", "onnx", "--seed", "-1"), "seed"),
        ((), "--to"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(
    arguments: tuple[str, ...], said: str, shell: Callable
) -> None:
    ran = shell("export", *SMALL, *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""
    assert list(Path.cwd().iterdir()) == []


def test_an_error_is_json_too(shell: Callable) -> None:
    ran = shell("export", *SMALL, "--to", "onix", "--json")
    assert ran.err == ""
    assert ran.json["error"]["problems"][0]["label"] == 'did you mean "onnx"?'


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Files may not grow beyond 100 bytes, which stands for a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("to", FORMATS)
def test_a_full_disk_leaves_nothing(to: str, shell: Callable, full_disk: None) -> None:
    ran = shell("export", *SMALL, "--to", to)
    assert ran.code == 2
    assert re.fullmatch(r'error: cannot write ".*": File too large\n   = help: choose another place\n', ran.err)
    assert list(Path.cwd().iterdir()) == []


def test_progress_is_for_those_who_look(tmp_path: Path) -> None:
    drawn = on_terminal("export", *SMALL, "--to", "safetensors", "-o", str(tmp_path / "a.safetensors"), NO_COLOR="1")
    assert "building the model ..." in drawn
    drawn = on_terminal("export", *SMALL, "--to", "toml", "-o", str(tmp_path / "a.toml"), "--quiet")
    assert "..." not in drawn


def test_a_design_as_text_needs_no_torch(tmp_path: Path) -> None:
    assert modules("export", "convnext_t", "--to", "toml", "-o", str(tmp_path / "a.toml")) & set(HEAVY) == set()
    assert convlab.load(tmp_path / "a.toml") == convlab.load("convnext_t")


def test_the_verb_gives_what_the_command_tells(tmp_path: Path) -> None:
    design = convlab.load("convnext_atto", sets=("depths=[1, 1, 1, 1]", "widths=[8, 8, 16, 16]"))
    found = convlab.export(design, to="toml", path=tmp_path / "design.toml")
    assert (found.path, found.files, found.checks) == (tmp_path / "design.toml", (tmp_path / "design.toml",), ())
    assert found.difference is None
    assert convlab.load(found.path) == design


def test_python_goes_to_a_name_that_can_be_imported(shell: Callable) -> None:
    Path("my-network.toml").write_text('base = "convnext_atto"')
    assert shell("export", "my-network.toml", "--to", "python").code == 0
    assert Path("my_network.py").is_file()


def test_models_as_weights_and_as_designs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    design = convlab.load("resnet18", sets=["depths=1", "widths=16", "head.classes=3"])
    model = convlab.build(design, seed=4)
    found = convlab.export(design, to="safetensors", path="a.safetensors", weights=model)
    read = safetensors.torch.load_file(found.path)
    assert all(torch.equal(read[path], tensor) for path, tensor in model.state_dict().items())
    assert "given as a model" in repr(found)
    assert max(len(repr(found)), len(repr(found.origin))) < 200
    with pytest.raises(convlab.ConvlabError, match=r"a design is due, not a ConvNet\n.*weights=model"):
        convlab.export(model, to="safetensors", path="b.safetensors")
    with pytest.raises(convlab.ConvlabError, match='a design is due, not "resnet18"'):
        convlab.export("resnet18", to="safetensors", path="b.safetensors")
