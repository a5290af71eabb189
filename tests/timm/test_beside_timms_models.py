"""A preset under timm beside the model of timm that it is: the same maps, the same tables, the same pre-logits."""

import pytest
import timm
import torch
from torch import nn

import convlab.timm  # noqa: F401  # registers the models
from convlab.timm.pretrained import ARCHITECTURES

PAIRS = (
    "convnext_t",
    "convnext_v2_atto",
    "resnet50",
    "regnety_400mf",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "swin_t",
)


def both(preset, **arguments):
    torch.manual_seed(0)
    theirs = timm.create_model(ARCHITECTURES[preset], **arguments).eval()
    for name, parameter in theirs.named_parameters():  # no branch is silent
        if name.endswith("gamma") or (isinstance(theirs.get_submodule(name.rpartition(".")[0]), nn.BatchNorm2d)):
            nn.init.uniform_(parameter, 0.5, 1.0)
    state = {key: tensor.clone() for key, tensor in theirs.state_dict().items()}
    ours = timm.create_model(
        f"convlab_{preset}", pretrained=True, pretrained_cfg_overlay={"state_dict": state}, **arguments
    )
    return ours.eval(), theirs


def maps_of(model, size=96, **arguments):
    x = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return model.forward_intermediates(x, **arguments)


def close(one, other):
    return torch.allclose(one, other, rtol=1e-3, atol=1e-4 * float(other.abs().max()))


@pytest.mark.parametrize("preset", PAIRS)
def test_feature_info(preset):
    with torch.device("meta"):
        ours, theirs = timm.create_model(f"convlab_{preset}"), timm.create_model(ARCHITECTURES[preset])
    assert [(info["num_chs"], info["reduction"]) for info in ours.feature_info] == [
        (info["num_chs"], info["reduction"]) for info in theirs.feature_info
    ]
    assert (ours.num_features, ours.head_hidden_size) == (theirs.num_features, theirs.head_hidden_size)


@pytest.mark.parametrize("preset", ["convnext_t", "resnet50", "efficientnet_b0"])
def test_maps_and_pre_logits(preset):
    ours, theirs = both(preset)
    (last, maps), (their_last, their_maps) = maps_of(ours), maps_of(theirs)
    assert len(maps) == len(their_maps)
    assert all(close(one, other) for one, other in zip(maps, their_maps, strict=True))
    assert close(last, their_last)
    with torch.no_grad():
        assert close(ours.forward_head(last), theirs.forward_head(their_last))
        assert close(ours.forward_head(last, pre_logits=True), theirs.forward_head(their_last, pre_logits=True))
    ours.reset_classifier(0, "")
    theirs.reset_classifier(0, "")
    with torch.no_grad():
        assert close(ours.forward_head(last), theirs.forward_head(their_last))


@pytest.mark.parametrize(("preset", "stride"), [("resnet50", 8), ("resnet50", 16)])
def test_dilated_maps(preset, stride):
    ours, theirs = both(preset, output_stride=stride)
    assert [info["reduction"] for info in ours.feature_info] == [info["reduction"] for info in theirs.feature_info]
    found = maps_of(ours, intermediates_only=True), maps_of(theirs, intermediates_only=True)
    assert all(close(one, other) for one, other in zip(*found, strict=True))


def test_intermediates_of_a_transformer():
    ours, theirs = both("deit_s")
    for norm in (False, True):
        found = maps_of(ours, 224, norm=norm, indices=3), maps_of(theirs, 224, norm=norm, indices=3)
        assert all(close(one, other) for one, other in zip(found[0][1], found[1][1], strict=True))
    assert ours.no_weight_decay() == {"stem.1.class_token", "stem.1.position_embedding"}
    assert theirs.no_weight_decay() >= {"cls_token", "pos_embed"}
    assert ours.default_cfg["fixed_input_size"] is theirs.default_cfg["fixed_input_size"] is True
