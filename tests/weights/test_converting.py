"""Converting files: layouts to layouts by way of ours, what is written says whose it is, and nothing is half-written."""

from pathlib import Path

import pytest
import torch
from designs import small
from safetensors.torch import load_file, save_file
from weights import randomized

from convlab import ConvlabError, build
from convlab.weights.converting import convert, write
from convlab.weights.layouts import from_convlab, layouts_of
from convlab.weights.origins import design_inside
from convlab.weights.reading import metadata, read

DESIGN = small("convnext_v2_t")
LAYOUTS = [layout for layout in layouts_of(DESIGN) if layout != "fcmae"]


@pytest.fixture(scope="module")
def ours():
    return randomized(build(DESIGN, initialized=False, channels_last=False)).state_dict()


def equal(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(tensor, other[key]) and tensor.dtype == other[key].dtype for key, tensor in one.items())


@pytest.mark.parametrize("start", LAYOUTS)
@pytest.mark.parametrize("end", LAYOUTS)
def test_any_layout_to_any_other(start, end, ours, tmp_path):
    write(from_convlab(ours, DESIGN, start), tmp_path / "start.safetensors", design=DESIGN, layout=start)
    found = convert(tmp_path / "start.safetensors", DESIGN, end)
    assert (found.source_layout, found.layout, found.left_out) == ("timm" if start == "convlab" else start, end, ())
    assert equal(found.tensors, from_convlab(ours, DESIGN, end))


def test_number_formats_stay(ours, tmp_path):
    state = {key: tensor.half() if index % 2 else tensor for index, (key, tensor) in enumerate(ours.items())}
    save_file(state, tmp_path / "mixed.safetensors")
    found = convert(tmp_path / "mixed.safetensors", DESIGN, "facebookresearch")
    assert equal(found.tensors, from_convlab(state, DESIGN, "facebookresearch"))
    assert {tensor.dtype for tensor in found.tensors.values()} == {torch.float16, torch.float32}


def test_what_a_layout_leaves_out_is_told(ours, tmp_path):
    save_file(ours, tmp_path / "ours.safetensors")
    found = convert(tmp_path / "ours.safetensors", DESIGN, "fcmae")
    assert found.left_out == ("head.norm.weight", "head.norm.bias", "head.fc.weight", "head.fc.bias")
    assert len(found.tensors) == len(ours) - 4


def test_safetensors_say_whose_they_are(ours, tmp_path):
    path = tmp_path / "weights.safetensors"
    write(from_convlab(ours, DESIGN, "timm"), path, design=DESIGN, layout="timm")
    about = metadata(path)
    assert (about["convlab_name"], about["convlab_key"], about["convlab_layout"]) == (
        "convnext_v2_t",
        DESIGN.key,
        "timm",
    )
    assert design_inside(path) == DESIGN
    assert equal(load_file(path), ours)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin"])
@pytest.mark.parametrize("layout", ["timm", "facebookresearch"])
def test_checkpoints_of_pytorch(suffix, layout, ours, tmp_path):
    state = from_convlab(ours, DESIGN, layout)
    write(state, tmp_path / f"weights{suffix}", design=DESIGN, layout=layout)
    plain = torch.load(tmp_path / f"weights{suffix}", weights_only=True)
    assert equal(plain["model"] if layout == "facebookresearch" else plain, state)
    assert equal(read(tmp_path / f"weights{suffix}"), state)


def test_the_same_weights_are_the_same_bytes(ours, tmp_path):
    for name in "abcd":  # safetensors itself shuffles what a file says of itself
        write(ours, tmp_path / f"{name}.safetensors", design=DESIGN, layout="timm")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_a_tensor_under_two_names_is_written_under_both(ours, tmp_path):
    state = dict(ours)
    state["stem.1.weight"] = state["stem.0.bias"]
    torch.save(state, tmp_path / "shared.pth")
    read_back = convert(tmp_path / "shared.pth", DESIGN, "timm").tensors
    assert read_back["stem.1.weight"].data_ptr() == read_back["stem.0.bias"].data_ptr()
    write(read_back, tmp_path / "apart.safetensors", design=DESIGN, layout="timm")
    assert equal(load_file(tmp_path / "apart.safetensors"), state)


def test_other_names_of_files_are_refused(ours, tmp_path):
    with pytest.raises(ConvlabError, match=r"a name that ends in \.safetensors"):
        write(ours, tmp_path / "weights.onnx", design=DESIGN, layout="timm")
    assert not list(tmp_path.iterdir())


def test_a_layout_without_the_design_is_refused_before_reading():
    with pytest.raises(ConvlabError, match="knows no names of torchvision's for convnext_v2_t"):
        convert("nowhere.safetensors", DESIGN, "torchvision")


def test_a_written_file_does_not_share_memory_between_tensors(ours, tmp_path):
    """Pieces of one tensor of ours are views of it; a file holds each of them once."""
    design = small("deit_s")
    state = build(design, seed=0).state_dict()
    write(from_convlab(state, design, "transformers"), tmp_path / "a.safetensors", design=design, layout="transformers")
    write(from_convlab(state, design, "transformers"), tmp_path / "a.pth", design=design, layout="transformers")
    assert equal(read(tmp_path / "a.safetensors"), read(tmp_path / "a.pth"))
    size = sum(tensor.nbytes for tensor in state.values())
    assert all(Path(file).stat().st_size < 1.2 * size + 200_000 for file in tmp_path.iterdir())
