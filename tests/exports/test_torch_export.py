"""torch.export: the program that is loaded again computes what the model computes, for any batch, in a process without convlab."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from designs import swept
from systems import FULL_SIZE, NAMES, OTHERS, alive, assert_same_outputs, least, mixed, outputs, tiny

from convlab import ConvlabError, export, load, profile

ALONE = """
import sys, torch
program, images, outputs = sys.argv[1:]
torch.save(torch.export.load(program).module()(torch.load(images)), outputs)
assert not any(name.partition(".")[0] == "convlab" for name in sys.modules)
"""


@pytest.mark.parametrize("name", ["mixed", *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES)])
def test_the_program_computes_what_the_model_computes(name, tmp_path):
    design = mixed() if name == "mixed" else tiny(name)
    weights = alive(design)
    found = export(design, to="torch-export", path=tmp_path / "network.pt2", weights=weights)
    assert 0 <= found.difference < 1e-5
    assert_same_outputs(torch.export.load(found.path).module(), design, weights)


def test_a_folded_program_has_fewer_weights_and_computes_the_same(tmp_path):
    design = tiny("repvgg_a0")
    weights = alive(design)
    found = export(design, to="torch-export", path=tmp_path / "network.pt2", weights=weights, folded=True)
    program = torch.export.load(found.path)
    assert sum(tensor.numel() for tensor in program.state_dict.values()) == profile(design, folded=True).params
    assert_same_outputs(program.module(), design, weights)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*OTHERS, *FULL_SIZE])
def test_mixtures_and_full_size(name, tmp_path):
    design = swept(name) if name in OTHERS else load(name)
    weights = alive(design)
    found = export(design, to="torch-export", path=tmp_path / "network.pt2", weights=weights)
    assert_same_outputs(torch.export.load(found.path).module(), design, weights)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return export(least(), to="torch-export", path=tmp_path_factory.mktemp("pt2") / "network.pt2", seed=5)


def test_it_runs_without_convlab(exported, tmp_path):
    design = exported.origin.design
    images = torch.randn(4, *design.image.shape, generator=torch.Generator().manual_seed(0))
    torch.save(images, tmp_path / "images.pt")
    files = (exported.path, tmp_path / "images.pt", tmp_path / "outputs.pt")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *files], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    expected = outputs(design, exported.origin.build().model.state_dict(), images)
    assert torch.allclose(torch.load(tmp_path / "outputs.pt"), expected, atol=1e-5)


def test_its_weights_can_be_trained_on(exported):
    program = torch.export.load(exported.path)
    kept = exported.origin.build().model.state_dict()
    assert program.state_dict.keys() == kept.keys()
    assert all(torch.equal(tensor, program.state_dict[name]) for name, tensor in kept.items())
    assert all(parameter.requires_grad for parameter in program.parameters())


def test_it_says_what_it_is(exported, tmp_path):
    told = dict.fromkeys(("convlab_design", "convlab_key", "convlab_name", "convlab_layout", "convlab_version"), "")
    torch.export.load(exported.path, extra_files=told)
    assert (told["convlab_key"], told["convlab_layout"]) == (exported.origin.design.key, "convlab")
    (tmp_path / "design.toml").write_text(told["convlab_design"])
    assert load(tmp_path / "design.toml") == exported.origin.design


def test_no_place_of_this_machine_and_no_image_is_in_the_file(exported):
    places = [str(Path(__file__).parents[2]), str(Path(torch.__file__).parents[1])]
    with zipfile.ZipFile(io.BytesIO(exported.path.read_bytes())) as archive:
        for name in archive.namelist():
            assert not any(place.encode() in archive.read(name) for place in places), name
    assert torch.export.load(exported.path).example_inputs is None


def test_two_exports_are_one_file(exported, tmp_path):
    again = export(exported.origin.design, to="torch-export", path=tmp_path / "network.pt2", seed=5)
    assert again.path.read_bytes() == exported.path.read_bytes()


def test_a_name_that_torch_does_not_read_is_refused(tmp_path):
    with pytest.raises(ConvlabError) as raised:
        export(tiny("resnet18"), to="torch-export", path=tmp_path / "network.pt")
    assert str(raised.value) == (
        'error: "network.pt" is no name of a file of torch.export\n   = help: name it network.pt2'
    )
    assert list(tmp_path.iterdir()) == []
