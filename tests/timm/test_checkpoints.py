"""Weights through timm: checkpoints of several layouts, other classes and channels, timm's folders, averages and savers."""

import argparse
import logging

import pytest
import timm
import timm.optim
import torch
from contract_networks import images_of, model_of
from safetensors.torch import save_file
from timm.models import load_checkpoint, resume_checkpoint, save_for_hf
from timm.utils import CheckpointSaver, ModelEmaV3
from torch import nn

from convlab import ConvlabError, build, load
from convlab.timm.pretrained import ARCHITECTURES

TAKEN = ("convnext_atto", "convnext_v2_atto", "resnet18", "regnety_200mf", "mobilenet_v2", "swin_t", "deit_s")
"""Presets whose weights are taken from timm's models here."""


def theirs_of(preset, **arguments):
    torch.manual_seed(0)
    model = timm.create_model(ARCHITECTURES[preset], **arguments).eval()
    for module in model.modules():  # no branch is silent
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    return model


def ours_of(preset, state, **arguments):
    """As timm makes a pretrained model, but for the way that the weights come."""
    overlay = {"state_dict": {key: tensor.clone() for key, tensor in state.items()}}
    return timm.create_model(f"convlab_{preset}", pretrained=True, pretrained_cfg_overlay=overlay, **arguments).eval()


@pytest.mark.parametrize("preset", TAKEN)
def test_timms_weights_give_timms_scores(preset):
    theirs = theirs_of(preset)
    ours = ours_of(preset, theirs.state_dict())
    x = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs(x)
        assert torch.allclose(ours(x), expected, rtol=1e-3, atol=1e-4 * expected.abs().max())


def test_other_classes_and_channels():
    """The classifier starts anew, and the first convolution is summed over the colours, as timm does it."""
    theirs = theirs_of("resnet18")
    ours = ours_of("resnet18", theirs.state_dict(), num_classes=7, in_chans=1)
    assert ours.get_classifier().out_features == 7
    assert torch.allclose(ours.stem[0].weight, theirs.conv1.weight.sum(1, keepdim=True), atol=1e-6)
    assert torch.equal(ours.stages[3].blocks[1].conv2.weight, theirs.layer4[1].conv2.weight)


def test_a_position_embedding_is_resampled():
    """For another image size, as timm does it."""
    state = theirs_of("deit_s").state_dict()
    theirs = timm.create_model(
        "deit_small_patch16_224", pretrained=True, pretrained_cfg_overlay={"state_dict": state}, img_size=96
    )
    ours = ours_of("deit_s", state, img_size=96)
    assert ours.stem[1].position_embedding.shape == (1, 37, 384)
    assert torch.allclose(ours.stem[1].position_embedding, theirs.pos_embed, atol=1e-5)


def test_features_of_a_pretrained_model():
    theirs = theirs_of("resnet18")
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = theirs.forward_intermediates(x, intermediates_only=True)
        maps = ours_of("resnet18", theirs.state_dict(), features_only=True)(x)
    assert all(torch.allclose(one, other, atol=1e-4) for one, other in zip(maps, expected, strict=True))


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_file_of_ones_own(ending, tmp_path):
    built, path = build(load("convnext_atto"), seed=3), tmp_path / f"weights.{ending}"
    if ending == "pth":
        torch.save({"state_dict": built.state_dict(), "args": argparse.Namespace(lr=0.1)}, path)
    else:
        save_file({key: tensor.contiguous() for key, tensor in built.state_dict().items()}, path)
    found = [
        timm.create_model("convlab_convnext_atto", pretrained=True, pretrained_cfg_overlay={"file": str(path)}),
        timm.create_model("convlab_convnext_atto", checkpoint_path=path),
        timm.create_model(
            "convlab", design="convnext_atto", pretrained=True, pretrained_cfg_overlay={"file": str(path)}
        ),
    ]
    for model in found:
        assert all(torch.equal(tensor, built.state_dict()[key]) for key, tensor in model.state_dict().items())


@pytest.mark.parametrize(("name", "design"), [("convlab_convnext_iso_s", None), ("convlab", "convnext_rep_t")])
def test_weights_that_nobody_published(name, design):
    with pytest.raises(ConvlabError, match='no weights of "convnext') as error:
        timm.create_model(name, pretrained=True, design=design)
    assert "pretrained_cfg_overlay" in error.value.problems[0].help


def test_published_weights_of_a_preset_are_under_its_own_name():
    with pytest.raises(ConvlabError, match="convlab has no published weights of its own") as error:
        timm.create_model("convlab", design="swin_t", pretrained=True)
    [problem] = error.value.problems
    assert 'create_model("convlab_swin_t", pretrained=True)' in problem.help
    assert "pretrained_cfg_overlay=dict(file=" in problem.help
    assert "checkpoint_path" not in problem.help


def test_weights_of_another_network():
    state = theirs_of("resnet18").state_dict()
    with pytest.raises(ConvlabError):
        ours_of("convnext_atto", state)


@pytest.mark.parametrize("name", ["convlab", "convlab_resnet18"])
def test_a_folder_for_the_hub_needs_no_file(name, tmp_path):
    """What timm writes for the hub makes the same model anywhere, also one whose classifier was changed."""
    design, arguments = tmp_path / "mine.toml", {}
    if name == "convlab":
        design.write_text('base = "resnet18"\ndepths = [1, 1]\nwidths = [16, 32]\nimage.size = 32\n')
        arguments = {"design": str(design), "sets": ["block.kernel_size=5"]}
    model = timm.create_model(name, **arguments, drop_rate=0.1)
    model.reset_classifier(6, "max")
    save_for_hf(model.eval(), tmp_path / "folder")
    design.unlink(missing_ok=True)
    again = timm.create_model(f"local-dir:{tmp_path / 'folder'}", pretrained=True).eval()
    assert [tuple(tensor.shape) for tensor in again.parameters()] == [
        tuple(tensor.shape) for tensor in model.parameters()
    ]
    with torch.no_grad():
        assert torch.equal(again(images_of(model)), model(images_of(model)))


def test_a_run_goes_on_where_it_stopped(tmp_path, caplog):
    """Saved by timm's saver with optimizer and average, resumed by its loader."""
    model = model_of("convnext_t")
    optimizer = timm.optim.create_optimizer_v2(model, "adamw", lr=1e-3)
    average = ModelEmaV3(model)
    model(images_of(model)).square().mean().backward()
    optimizer.step()
    average.update(model, step=1)
    saver = CheckpointSaver(
        model, optimizer, args=argparse.Namespace(model="convlab"), model_ema=average, checkpoint_dir=str(tmp_path)
    )
    saver.save_checkpoint(3, metric=0.5)
    last = str(tmp_path / "last.pth.tar")
    again = model_of("convnext_t")
    fresh = timm.optim.create_optimizer_v2(again, "adamw", lr=1e-3)
    with caplog.at_level(logging.WARNING):
        assert resume_checkpoint(again, last, optimizer=fresh, log_info=False) == 4
    assert all(torch.equal(one, other) for one, other in zip(again.parameters(), model.parameters(), strict=True))
    assert len(fresh.state) == len(optimizer.state) > 0
    load_checkpoint(again, last, use_ema=True)
    expected = average.module.state_dict()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in again.state_dict().items())
