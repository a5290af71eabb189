"""Feature maps through timm: ``features_only`` in all its forms, ``forward_intermediates``, pruning, output stride."""

import pytest
import timm
import torch
from contract_networks import FAMILIES, NETWORKS, images_of, model_of
from timm.models import FeatureDictNet, FeatureGraphNet, FeatureHookNet, FeatureListNet
from timm.models._features import FeatureGetterNet

from convlab import ConvlabError

ISOTROPIC = {"convnext_iso_s", "deit_s", "attention-vit-map"}
WITH_TOKEN = {"deit_s"}
KINDS = (None, "list", "dict", "hook", "getter", "fx")
EVERY_KIND = ("convnext_t", "resnet18", "hybrid")
STAGED = [
    pytest.param(name, kind, marks=() if kind is None or name in EVERY_KIND else pytest.mark.slow)
    for name in NETWORKS
    for kind in KINDS
    if name not in ISOTROPIC
]


def all_maps(model, **arguments):
    with torch.no_grad():
        return model.forward_intermediates(images_of(model), **arguments)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_maps_are_as_told(name):
    model = model_of(name).eval()
    last, maps = all_maps(model)
    height, width = images_of(model).shape[2:]
    assert len(maps) == len(model.feature_info) > 0
    for found, info in zip(maps, model.feature_info, strict=True):
        assert found.shape[:2] == (2, info["num_chs"])
        reduction = info["reduction"]
        assert found.shape[2] in (height // reduction, -(-height // reduction))
        assert found.shape[3] in (width // reduction, -(-width // reduction))
        assert isinstance(model.get_submodule(info["module"]), torch.nn.Module)
    with torch.no_grad():
        assert torch.equal(last, model.forward_features(images_of(model)))


@pytest.mark.parametrize(("name", "kind"), STAGED)
def test_features_only_gives_the_intermediates(name, kind):
    expected = all_maps(model_of(name).eval(), intermediates_only=True)
    arguments = {} if kind is None else {"feature_cls": kind}
    net = model_of(name, features_only=True, **arguments).eval()
    classes = {"dict": FeatureDictNet, "hook": FeatureHookNet, "getter": FeatureGetterNet, "fx": FeatureGraphNet}
    assert isinstance(net, classes.get(kind, FeatureListNet))
    with torch.no_grad():
        maps = net(images_of(net))
    maps = list(maps.values()) if kind == "dict" else maps
    assert [tuple(found.shape) for found in maps] == [tuple(found.shape) for found in expected]
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(maps, expected, strict=True))
    assert net.feature_info.channels() == [found.shape[1] for found in maps]


@pytest.mark.parametrize("name", sorted(ISOTROPIC))
def test_isotropic_designs_have_a_map_a_block(name):
    model = model_of(name).eval()
    maps = all_maps(model, intermediates_only=True)
    assert len(maps) == model.design.depths[0]
    assert {(found.shape[1], *found.shape[2:]) for found in maps} == {tuple(maps[0].shape[1:])}
    net = model_of(name, features_only=True, out_indices=(0, -1)).eval()
    with torch.no_grad():
        found = net(images_of(net))
    assert torch.equal(found[0], maps[0])
    assert torch.equal(found[1], maps[-1])


@pytest.mark.parametrize("indices", [(1, 3), (-1,), (-3, -1), (0,), 2])
@pytest.mark.parametrize("name", ["convnext_t", "resnet18", "efficientnet_b0"])
def test_out_indices(name, indices):
    expected = all_maps(model_of(name).eval(), intermediates_only=True)
    count = len(expected)
    chosen = [index % count for index in (range(-indices, 0) if isinstance(indices, int) else indices)]
    net = model_of(name, features_only=True, out_indices=indices).eval()
    with torch.no_grad():
        maps = net(images_of(net))
    assert len(maps) == len(chosen)
    assert all(torch.equal(found, expected[index]) for found, index in zip(maps, chosen, strict=True))
    assert net.feature_info.reduction() == [model_of(name).feature_info[index]["reduction"] for index in chosen]


@pytest.mark.parametrize("indices", [None, 1, 2, (0, 2), (-1, 1)])
@pytest.mark.parametrize("name", ["convnext_t", "resnet18", "swin_t", "efficientnet_b0", "deit_s", "convnext_iso_s"])
def test_intermediates_of_some_indices(name, indices):
    model = model_of(name).eval()
    every = all_maps(model, intermediates_only=True)
    numbers = range(len(every)) if indices is None else range(-indices, 0) if isinstance(indices, int) else indices
    chosen = sorted(index % len(every) for index in numbers)
    for stop_early in (False, True):
        x, maps = all_maps(model, indices=indices, stop_early=stop_early)
        assert all(torch.equal(found, every[index]) for found, index in zip(maps, chosen, strict=True))
        assert len(maps) == len(chosen)
        if not stop_early:
            with torch.no_grad():
                assert torch.equal(x, model.forward_features(images_of(model)))
    with pytest.raises(ConvlabError, match="there is no feature map 99"):
        all_maps(model, indices=[99])
    with pytest.raises(ConvlabError, match="there is no feature map -99"):
        all_maps(model, indices=99)


@pytest.mark.parametrize(("name", "after"), [("swin_t", "norm_pre"), ("attention-vit-map", ""), ("deit_s", "norm_pre")])
def test_the_norm_before_the_pool(name, after):
    """It follows the last map of stages, and every map of isotropic designs, as in timm's Swin and ViT."""
    model = model_of(name).eval()
    with torch.no_grad():
        torch.nn.init.normal_(model.get_submodule(after).weight) if after else None
    plain, normed = all_maps(model, intermediates_only=True), all_maps(model, norm=True, intermediates_only=True)
    changed = [not torch.equal(one, other) for one, other in zip(plain, normed, strict=True)]
    if not after:
        assert not any(changed)
    elif name in ISOTROPIC:
        assert all(changed)
    else:
        assert changed == [False] * (len(changed) - 1) + [True]
        with torch.no_grad():
            assert torch.equal(normed[-1], model.forward_features(images_of(model)))


@pytest.mark.parametrize("name", FAMILIES)
def test_pruning_keeps_what_the_maps_need(name):
    every = all_maps(model_of(name).eval(), intermediates_only=True)
    for indices in ([0], [-2, 1], 1):
        model = model_of(name).eval()
        whole = sum(parameter.numel() for parameter in model.parameters())
        chosen = model.prune_intermediate_layers(indices, prune_norm=True)
        assert all(0 <= index < len(every) for index in chosen)
        assert sum(parameter.numel() for parameter in model.parameters()) < whole
        maps = all_maps(model, indices=chosen, intermediates_only=True)
        assert all(torch.equal(found, every[index]) for found, index in zip(maps, sorted(set(chosen)), strict=True))
        with torch.no_grad():
            last = model(images_of(model))
        if name in WITH_TOKEN:
            last = last[:, 1:].transpose(1, 2).reshape(every[max(chosen)].shape)
        assert torch.equal(last, every[max(chosen)])
        assert last.shape[1] == model.num_features


@pytest.mark.parametrize("name", FAMILIES)
def test_pruning_leaves_no_parameter_without_use(name):
    """As data-parallel training asks for: each one that is left gets a gradient from the maps."""
    count = len(model_of(name).feature_info)
    for indices, prune_norm in (([0], False), ([count - 1], False), (list(range(count)), True)):
        model = model_of(name).train()
        chosen = model.prune_intermediate_layers(indices, prune_norm=prune_norm)
        maps = model.forward_intermediates(
            images_of(model), indices=chosen, norm=not prune_norm, intermediates_only=True
        )
        sum(found.square().sum() for found in maps).backward()
        assert not [path for path, parameter in model.named_parameters() if parameter.grad is None]
        assert all(module.training for module in model.modules())


@pytest.mark.parametrize("name", ["convnext_t", "swin_t", "resnet18"])
def test_pruning_may_leave_the_head(name):
    model = model_of(name).eval()
    with torch.no_grad():
        expected = model(images_of(model))
        model.prune_intermediate_layers([-1], prune_head=False)
        assert torch.equal(model(images_of(model)), expected)


@pytest.mark.parametrize(("name", "stride"), [("convnext_t", 16), ("convnext_t", 8), ("resnet18", 8), ("swin_t", 16)])
def test_output_stride(name, stride):
    whole, dilated = model_of(name).eval(), model_of(name, output_stride=stride).eval()
    assert len(dilated.feature_info) == len(whole.feature_info)
    assert [info["reduction"] for info in dilated.feature_info] == [
        min(info["reduction"], stride) for info in whole.feature_info
    ]
    assert dilated.default_cfg["input_size"] == whole.default_cfg["input_size"]
    maps = all_maps(dilated, intermediates_only=True)
    size = images_of(dilated).shape[2]
    assert [found.shape[2] for found in maps] == [size // info["reduction"] for info in dilated.feature_info]
    net = model_of(name, output_stride=stride, features_only=True)
    assert net.feature_info.reduction() == [info["reduction"] for info in dilated.feature_info]


@pytest.mark.parametrize("name", ["convnext_t", "resnet18", "deit_s"])
def test_checkpointing_of_features(name):
    """The maps and the gradients are the same."""
    results = []
    for enabled in (False, True):
        net = model_of(name, features_only=True, drop_path_rate=0.0).train()
        inner = net.model if hasattr(net, "model") else net
        inner.set_grad_checkpointing(enabled)
        x = images_of(net).requires_grad_()
        sum(found.square().mean() for found in net(x)).backward()
        results.append(x.grad)
    assert torch.allclose(results[0], results[1], rtol=1e-4, atol=1e-7)


def test_maps_of_other_image_sizes_with_a_class_token():
    model = model_of("deit_s", img_size=(64, 96)).eval()
    assert model.default_cfg["fixed_input_size"]
    with torch.no_grad():
        maps = model.forward_intermediates(torch.randn(1, 3, 64, 96), intermediates_only=True)
    assert {tuple(found.shape[2:]) for found in maps} == {(4, 6)}
    assert timm.models.get_model_input_config(model)["input_size"] == (3, 64, 96)
