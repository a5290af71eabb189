"""Backbones: the maps of chosen stages, with the weights of the whole model, under torchvision's pyramid and detectors."""

import copy
import pickle
from collections import OrderedDict

import pytest
import torch
from designs import SHALLOWEST, covering, small, swept
from safetensors.torch import save_file
from torch import nn
from torchvision.models.detection import FasterRCNN, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign

from convlab import ConvlabError, build, features, load, load_weights, turn
from convlab.models.features import FeatureMaps, feature_maps

SOME = ("convnext_t", "resnet18", "efficientnet_b0", "swin_t", "convnext_iso_s", "deit_s", "repvgg_a0", "replknet_31b")


def images_of(design, count=2):
    return torch.randn(count, *design.image.shape, generator=torch.Generator().manual_seed(0))


def maps_by_hooks(net, image):
    """What goes out of every stage and every block of a built model."""
    found = {}
    for path, module in net.named_modules():
        module.register_forward_hook(lambda module, given, result, path=path: found.setdefault(path, result))
    with torch.no_grad():
        net(image)
    return found


@pytest.mark.parametrize("name", SOME)
def test_the_maps_are_those_of_the_whole_model(name):
    design = small(name)
    net, backbone, image = build(design, seed=0).eval(), features(design, seed=0).eval(), images_of(design)
    hooked = maps_by_hooks(net, image)
    with torch.no_grad():
        maps = backbone(image)
    assert list(maps) == backbone.paths
    for (path, found), channels, stride in zip(maps.items(), backbone.channels, backbone.strides, strict=True):
        assert found.shape[1] == channels
        assert found.shape[2] in (64 // stride, -(-64 // stride))
        if design.stem.class_token:
            tokens = hooked[path][:, :, 1:, 0]
            assert torch.equal(found.flatten(2), tokens)
        else:
            assert torch.equal(found, hooked[path])


@pytest.mark.parametrize("name", SOME)
def test_the_weights_are_a_part_of_the_whole_models(name):
    """By name, order and value with one seed; so a state dict of the whole model fills a backbone."""
    design = small(name)
    whole = build(design, seed=5).state_dict()
    part = features(design, seed=5).state_dict()
    assert [key for key in whole if key in part] == list(part)
    assert all(torch.equal(tensor, whole[key]) for key, tensor in part.items())
    assert not any(key.startswith(("head", "norm_pre", "conv_head")) for key in part)
    empty = features(design, initialized=False)
    assert not empty.load_state_dict(whole, strict=False).missing_keys


@pytest.mark.parametrize("classes", [10, 3])
def test_a_checkpoint_of_the_whole_model_fills_a_backbone(classes, tmp_path):
    """Whatever its head is."""
    whole = build(turn(small("resnet18"), "head.classes", classes), seed=5)
    save_file({key: tensor.contiguous() for key, tensor in whole.state_dict().items()}, tmp_path / "w.safetensors")
    backbone = features(small("resnet18"), out_indices=(1,), seed=0)
    report = load_weights(backbone, tmp_path / "w.safetensors")
    assert all(torch.equal(tensor, whole.state_dict()[key]) for key, tensor in backbone.state_dict().items())
    assert {line.path for line in report.loaded} == backbone.state_dict().keys()
    assert not report.missing


def test_out_indices_count_stages():
    design = small("convnext_t")
    for indices, paths in (
        ((1, 3), ["stages.1", "stages.3"]),
        ((-1,), ["stages.3"]),
        ((-3, 0), ["stages.0", "stages.1"]),
        ((2, 2, -2), ["stages.2"]),
        (range(4), ["stages.0", "stages.1", "stages.2", "stages.3"]),
    ):
        assert features(design, out_indices=indices).paths == paths
    assert "stages.2.blocks.0.conv_dw.weight" not in features(design, out_indices=(0, 1)).state_dict()


@pytest.mark.parametrize("indices", [2, "2", [True], [1.0], ["1"]])
def test_out_indices_are_a_list_of_numbers(indices):
    with pytest.raises(
        ConvlabError, match=r"out_indices is a list of numbers of stages, not .*\n.*a list such as \[3\]"
    ):
        features(small("convnext_t"), out_indices=indices)


def test_out_indices_count_blocks_where_there_is_one_stage():
    assert features(small("convnext_iso_s")).paths == ["blocks.2"]
    assert features(small("deit_s"), out_indices=(0, -1)).paths == ["stages.0.blocks.0", "stages.0.blocks.2"]


def test_without_indices_each_resolution_has_its_last_stage():
    backbone = features(small("efficientnet_b0"))
    assert backbone.paths == ["stages.0", "stages.1", "stages.2", "stages.4", "stages.6"]
    assert backbone.strides == [2, 4, 8, 16, 32]
    assert features(small("efficientnet_b0"), out_indices=(3,)).strides == [16]


@pytest.mark.parametrize("indices", [(4,), (0, -5), ()])
def test_a_stage_that_is_not_there(indices):
    with pytest.raises(ConvlabError, match="feature map"):
        features(small("convnext_t"), out_indices=indices)


@pytest.mark.parametrize(("stride", "strides"), [(16, [4, 8, 16, 16]), (8, [4, 8, 8, 8])])
def test_output_stride(stride, strides):
    design = turn(small("resnet18"), "output_stride", stride)
    backbone = features(design).eval()
    assert backbone.strides == strides
    with torch.no_grad():
        assert [found.shape[2] for found in backbone(images_of(design)).values()] == [64 // found for found in strides]


@pytest.mark.parametrize("preset", SHALLOWEST)
def test_presets_of_every_structure_have_maps(preset):
    """In small form on the meta device; strides rise, channels are the stages' widths."""
    design = small(preset)
    backbone = features(design, device="meta")
    maps = backbone(torch.zeros(1, *design.image.shape, device="meta"))
    assert backbone.strides == sorted(backbone.strides)
    assert [found.shape[1] for found in maps.values()] == backbone.channels
    assert {found.channels for found in feature_maps(design)} == set(design.widths)


@pytest.mark.parametrize("name", [name for index, name in enumerate(covering()) if index % 8 == 0])
def test_designs_unlike_any_preset(name):
    design = swept(name)
    every = range(len(feature_maps(design)))
    backbone = features(design, out_indices=every).eval()
    with torch.no_grad():
        maps = backbone(images_of(design))
    for found, channels, stride in zip(maps.values(), backbone.channels, backbone.strides, strict=True):
        assert found.shape[1] == channels
        assert found.shape[2] in range(design.image.shape.height // stride - 1, design.image.shape.height // stride + 2)


def test_a_backbone_of_a_built_model_shares_its_weights():
    net = build(small("convnext_t"), seed=0)
    backbone = FeatureMaps(net, (0,))
    assert backbone.stem[0] is net.stem[0]
    assert len(net.stages) == 4
    assert set(backbone.state_dict()) < set(net.state_dict())


def test_arguments_are_those_of_build():
    backbone = features(small("convnext_t"), dtype=torch.bfloat16, channels_last=False)
    assert {parameter.dtype for parameter in backbone.parameters()} == {torch.bfloat16}
    with pytest.raises(ConvlabError, match="there is no device"):
        features(small("convnext_t"), device="nowhere")


def test_it_is_an_ordinary_module():
    backbone = features(small("swin_t"), seed=0).eval()
    image = images_of(backbone.design)
    exported = torch.export.export(backbone, (image,)).module()
    with torch.no_grad():
        expected = backbone(image)
        for other in (copy.deepcopy(backbone), pickle.loads(pickle.dumps(backbone)), exported):
            found = other(image)
            assert found.keys() == expected.keys()
            assert all(torch.allclose(found[path], expected[path], atol=1e-5) for path in found)
    assert repr(backbone).startswith("FeatureMaps(\n  swin_t: stages.0, stages.1, stages.2, stages.3\n")


class Pyramid(nn.Module):
    """torchvision's feature pyramid on a backbone, as its detectors take it."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.out_channels = 16
        self.pyramid = FeaturePyramidNetwork(backbone.channels, self.out_channels)

    def forward(self, x):
        return self.pyramid(OrderedDict(self.backbone(x)))


def assert_gradients_reach(backbone):
    for path, parameter in backbone.named_parameters():
        assert parameter.grad is not None, path
        assert torch.isfinite(parameter.grad).all(), path
    assert backbone.stem[0].weight.grad.abs().max() > 0


def test_feature_pyramid():
    backbone = features(load("convnext_t"), seed=0)
    maps = Pyramid(backbone)(torch.randn(1, 3, 96, 64))
    assert {path: tuple(found.shape[1:]) for path, found in maps.items()} == {
        "stages.0": (16, 24, 16),
        "stages.1": (16, 12, 8),
        "stages.2": (16, 6, 4),
        "stages.3": (16, 3, 2),
    }
    sum(found.square().mean() for found in maps.values()).backward()
    assert_gradients_reach(backbone)


def detector(kind, backbone):
    levels = len(backbone.paths)
    anchors = AnchorGenerator(tuple((4 * stride,) for stride in backbone.strides), ((0.5, 1.0, 2.0),) * levels)
    size = {"min_size": 64, "max_size": 96}
    if kind == "retinanet":
        return RetinaNet(Pyramid(backbone), 3, anchor_generator=anchors, **size)
    pool = MultiScaleRoIAlign(backbone.paths, output_size=7, sampling_ratio=2)
    return FasterRCNN(Pyramid(backbone), 3, rpn_anchor_generator=anchors, box_roi_pool=pool, **size)


@pytest.mark.filterwarnings("ignore:torch.meshgrid")  # torchvision's anchors
@pytest.mark.parametrize("kind", ["retinanet", "faster_rcnn"])
def test_a_detector_learns_and_detects(kind):
    torch.manual_seed(0)
    backbone = features(load("convnext_t"), seed=0, out_indices=(0, 1, 2, 3))
    model = detector(kind, backbone)
    images = [torch.rand(3, 64, 96), torch.rand(3, 64, 64)]
    boxes = torch.tensor([[4.0, 4.0, 40.0, 40.0], [20.0, 10.0, 60.0, 50.0]])
    targets = [{"boxes": boxes, "labels": torch.tensor([1, 2])} for _ in images]
    losses = model(images, targets)
    sum(losses.values()).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert_gradients_reach(backbone)
    model.eval()
    with torch.no_grad():
        found = model(images)
    assert len(found) == 2
    assert all(set(item) == {"boxes", "scores", "labels"} for item in found)
