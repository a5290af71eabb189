"""The subjects: designs and networks of other packages by name, each with its image and its exact counts."""

import pytest
import torch
from torch import nn

import convlab
from convlab import ConvlabError
from convlab.layers import Shape
from convlab.measurement.running.subjects import module_subject, params_and_macs, subject


def test_a_design_by_name_and_as_it_is():
    by_name, given = subject("convnext_atto"), subject(convlab.load("convnext_atto"))
    assert by_name == given
    assert by_name.image == Shape(3, 224, 224)
    profile = convlab.profile(by_name.design)
    assert params_and_macs(by_name) == (profile.params, profile.macs)
    assert sum(p.numel() for p in by_name.build().parameters()) == profile.params


def test_a_folded_design_has_the_counts_of_its_folded_form():
    found = subject("resnet18", folded=True)
    assert sum(p.numel() for p in found.build().parameters()) == params_and_macs(found)[0]
    assert params_and_macs(found)[0] < params_and_macs(subject("resnet18"))[0]


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("timm:convnext_atto", "convnext_atto"),
        ("torchvision:resnet18", "resnet18"),
        ("transformers:convnext{hidden_sizes = [40, 80, 160, 320], depths = [2, 2, 6, 2]}", "convnext_atto"),
    ],
)
def test_networks_of_other_packages_have_our_counts(name, ours):
    """Torch's counter over their modules, our closed form over ours."""
    assert params_and_macs(subject(name, image=(64, 64))) == params_and_macs(subject(ours, image=(64, 64)))


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("timm:convnext_atto", (96, 64)),
        ("timm:vit_tiny_patch16_224", (96, 96)),
        ("torchvision:vit_b_16", (32, 32)),
        ("transformers:vit{num_hidden_layers = 1}", (64, 64)),
        ("transformers:deit{num_hidden_layers = 1}", (64, 64)),
    ],
)
def test_another_image_size(name, image):
    found = subject(name, image=image)
    assert found.image == Shape(3, *image)
    with torch.inference_mode():
        assert found.build().eval()(torch.randn(1, *found.image)).shape == (1, 1000)


def test_a_module_of_the_users():
    def make():
        return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))

    found = module_subject(make, name="mine", image=Shape(3, 8, 8))
    assert params_and_macs(found) == (4 * 27 + 4 + 50, 4 * 27 * 64 + 40)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("timm:convnext_attoo", 'timm has no network "convnext_attoo"'),
        ("timm:convnext_attoo", 'did you mean "convnext_atto"'),
        ("torchvision:resnet19", 'did you mean "resnet18"'),
        ("transformers:convnxt", 'did you mean "convnext"'),
        ("transformers:convnext{depths = }", "no TOML table"),
        ("keras:resnet", "packages: timm, torchvision, transformers"),
        ("convnext_attoo", "convnext_atto"),
    ],
)
def test_unknown_names_are_told(name, words):
    with pytest.raises(ConvlabError) as caught:
        subject(name)
    assert words in str(caught.value)
