"""Models of timm, torchvision and transformers give their outputs in ours: random weights, converted, loaded, run."""

import pytest
import timm
import torch
import torchvision
import transformers
from weights import assert_close, images, randomized

from convlab import build, load, load_weights
from convlab.weights.converting import convert, write
from convlab.weights.layouts import from_convlab

SMALL = ["image.size=64"]
SHALLOW = ["image.size=64", "stages.0.depth=2"]
MLP = {"num_hidden_layers": 2, "layer_norm_eps": 1e-6, "image_size": 64}
DEIT_S = {"hidden_size": 384, "num_attention_heads": 6, "intermediate_size": 1536}


def of_timm(name, **options):
    return lambda: timm.create_model(name, **options)


def of_torchvision(name, **options):
    return lambda: torchvision.models.get_model(name, **options)


def of_transformers(name, **options):
    def make():
        config = getattr(transformers, f"{name}Config")(num_labels=1000, **options)
        return getattr(transformers, f"{name}ForImageClassification")(config)

    return make


def vision_transformer():
    model = torchvision.models.VisionTransformer(64, 16, num_layers=2, num_heads=6, hidden_dim=384, mlp_dim=1536)
    torch.nn.init.normal_(model.heads.head.weight)
    return model


ATTO = {"depths": [2, 2, 6, 2], "hidden_sizes": [40, 80, 160, 320], "layer_norm_eps": 1e-6}

PEERS = {
    ("convnext_atto", "timm"): (SMALL, of_timm("convnext_atto")),
    ("convnext_v2_atto", "timm"): (SMALL, of_timm("convnextv2_atto")),
    ("resnet18", "timm"): (SMALL, of_timm("resnet18")),
    ("resnet50", "timm"): (SMALL, of_timm("resnet50")),
    ("resnext50_32x4d", "timm"): (SMALL, of_timm("resnext50_32x4d")),
    ("regnetx_200mf", "timm"): (SMALL, of_timm("regnetx_002")),
    ("regnety_200mf", "timm"): (SMALL, of_timm("regnety_002")),
    ("efficientnet_b0", "timm"): (SMALL, of_timm("efficientnet_b0")),
    ("efficientnet_v2_s", "timm"): (SMALL, of_timm("efficientnetv2_s", bn_eps=1e-3)),
    ("mobilenet_v2", "timm"): (SMALL, of_timm("mobilenetv2_100")),
    ("deit_s", "timm"): (SHALLOW, of_timm("deit_small_patch16_224", img_size=64, depth=2)),
    ("swin_t", "timm"): ([], of_timm("swin_tiny_patch4_window7_224")),
    ("convnext_t", "torchvision"): (SMALL, of_torchvision("convnext_tiny")),
    ("resnet18", "torchvision"): (SMALL, of_torchvision("resnet18")),
    ("resnet50", "torchvision"): (SMALL, of_torchvision("resnet50")),
    ("resnext50_32x4d", "torchvision"): (SMALL, of_torchvision("resnext50_32x4d")),
    ("regnetx_400mf", "torchvision"): (["image.size=64", "stages.3.width=400"], of_torchvision("regnet_x_400mf")),
    ("regnety_400mf", "torchvision"): (SMALL, of_torchvision("regnet_y_400mf")),
    ("efficientnet_b0", "torchvision"): (SMALL, of_torchvision("efficientnet_b0")),
    ("efficientnet_v2_s", "torchvision"): (SMALL, of_torchvision("efficientnet_v2_s")),
    ("mobilenet_v2", "torchvision"): (SMALL, of_torchvision("mobilenet_v2")),
    ("deit_s", "torchvision"): (SHALLOW, vision_transformer),
    ("swin_t", "torchvision"): ([], of_torchvision("swin_t")),
    ("convnext_atto", "transformers"): (SMALL, of_transformers("ConvNext", **ATTO)),
    ("convnext_v2_atto", "transformers"): (SMALL, of_transformers("ConvNextV2", **ATTO)),
    ("resnet18", "transformers"): (
        SMALL,
        of_transformers("ResNet", depths=[2, 2, 2, 2], hidden_sizes=[64, 128, 256, 512], layer_type="basic"),
    ),
    ("resnet50", "transformers"): (SMALL, of_transformers("ResNet")),
    ("regnetx_200mf", "transformers"): (
        SMALL,
        of_transformers("RegNet", depths=[1, 1, 4, 7], hidden_sizes=[24, 56, 152, 368], groups_width=8, layer_type="x"),
    ),
    ("regnety_200mf", "transformers"): (
        SMALL,
        of_transformers("RegNet", depths=[1, 1, 4, 7], hidden_sizes=[24, 56, 152, 368], groups_width=8, layer_type="y"),
    ),
    ("deit_s", "transformers_5"): (SHALLOW, of_transformers("ViT", **MLP, **DEIT_S)),
    ("swin_t", "transformers_5"): ([], of_transformers("Swin", layer_norm_eps=1e-5)),
}
SAME_NAMES = {"resnet18", "resnet50", "resnext50_32x4d"}
"""torchvision's ResNets are named as timm's."""


def logits(model, image):
    with torch.no_grad():
        found = model(image)
    return getattr(found, "logits", found)


@pytest.mark.parametrize(("name", "layout"), PEERS)
def test_weights_go_both_ways_and_give_the_same_outputs(name, layout, tmp_path):
    """Their file is loaded into ours; then other weights of ours are loaded strictly into theirs."""
    sets, make = PEERS[name, layout]
    theirs = randomized(make())
    torch.save(theirs.state_dict(), tmp_path / "theirs.pth")
    design = load(name, sets=sets)
    ours = build(design, initialized=False).eval()
    report = load_weights(ours, tmp_path / "theirs.pth")
    assert report.layout == ("timm" if name in SAME_NAMES and layout == "torchvision" else layout)
    assert not report.missing
    assert len(report.loaded) >= len(list(ours.parameters()))
    image = images(1, size=design.image.size)
    before = logits(theirs, image)
    assert_close(logits(ours, image), before, 1e-5)

    theirs.load_state_dict(from_convlab(randomized(ours, seed=1).state_dict(), design, layout))
    after = logits(theirs, image)
    assert not torch.allclose(after, before)
    assert_close(after, logits(ours, image), 1e-5)


@pytest.mark.parametrize("name", ["deit_s", "swin_t"])
def test_files_of_transformers_are_read_and_written(name, tmp_path):
    """Its files hold other names than its models have since version 5."""
    sets, make = PEERS[name, "transformers_5"]
    design, theirs = load(name, sets=sets), randomized(make())
    theirs.save_pretrained(tmp_path)
    ours = build(design, seed=0).eval()
    assert load_weights(ours, tmp_path).layout == "transformers"
    image = images(1, size=design.image.size)
    assert_close(logits(ours, image), logits(theirs, image), 1e-5)

    written = convert(tmp_path, design, "transformers")
    write(written.tensors, tmp_path / "model.safetensors", design=design, layout="transformers")
    again, told = type(theirs).from_pretrained(tmp_path, output_loading_info=True)
    assert not told["missing_keys"] | told["unexpected_keys"]
    for key, tensor in theirs.state_dict().items():
        assert torch.equal(again.state_dict()[key], tensor), key
