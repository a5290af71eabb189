"""Layer-wise learning rates: timm's groups hold every parameter once, in the order of execution."""

import pytest
import timm
import torch
from contract_networks import NETWORKS, images_of, model_of
from designs import REST_SLOW
from timm.models import group_parameters
from timm.optim import create_optimizer_v2, param_groups_layer_decay


def layers_of(model, *, coarse=False):
    return group_parameters(model, model.group_matcher(coarse=coarse), reverse=True)


def on_meta(preset):
    with torch.device("meta"):
        return timm.create_model(f"convlab_{preset.replace('/', '_')}")


@pytest.mark.parametrize("preset", REST_SLOW)
def test_groups_are_stem_blocks_and_head(preset):
    """Blocks in their order, and coarse groups of stages."""
    model = on_meta(preset)
    depths, layers = model.design.depths, layers_of(model)
    assert set(layers) == {path for path, _ in model.named_parameters()}
    assert set(layers.values()) == set(range(sum(depths) + 2))
    first = [sum(depths[:stage]) + 1 for stage in range(len(depths))]
    for path, layer in layers.items():
        parts = path.split(".")
        match parts[0]:
            case "stem":
                expected = 0
            case "stages":
                expected = first[int(parts[1])] + (int(parts[3]) if parts[2] == "blocks" else 0)
            case "blocks":
                expected = 1 + int(parts[1])
            case "norm_pre" | "conv_head" | "norm_head":
                expected = sum(depths)
            case _:
                expected = sum(depths) + 1
        assert layer == expected, path
    stages = len(model.design.stages) if model.design.names == "timm" else model.design.depths[0]
    assert set(layers_of(model, coarse=True).values()) == set(range(stages + 2))


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_run_in_the_order_of_their_groups(name):
    model, ran = model_of(name).eval(), []
    owners = layers_of(model)
    for path, module in model.named_modules():
        own = [owners[f"{path}.{key}"] for key, _ in module.named_parameters(recurse=False)]
        if own and not list(module.children()):
            module.register_forward_hook(lambda module, given, result, layer=own[0]: ran.append(layer))
    with torch.no_grad():
        model(images_of(model))
    assert ran == sorted(ran)
    assert set(ran) == set(owners.values())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("convnext_t", "convnext_tiny"),
        ("convnext_v2_atto", "convnextv2_atto"),
        ("resnet50", "resnet50"),
        ("regnety_400mf", "regnety_004"),
        ("efficientnet_b0", "efficientnet_b0"),
        ("deit_s", "deit_small_patch16_224"),
    ],
)
@pytest.mark.parametrize("coarse", [False, True])
def test_groups_are_as_large_as_timms(ours, theirs, coarse):
    with torch.device("meta"):
        models = [on_meta(ours), timm.create_model(theirs)]
    sizes = []
    for model in models:
        grouped = group_parameters(model, model.group_matcher(coarse=coarse))
        numels = dict(model.named_parameters())
        sizes.append([sum(numels[path].numel() for path in grouped[layer]) for layer in sorted(grouped)])
    if coarse and ours == "deit_s":  # timm's ViT has blocks only; ours has one stage
        assert sum(sizes[0]) == sum(sizes[1])
    else:
        assert sizes[0] == sizes[1]


@pytest.mark.parametrize("name", NETWORKS)
def test_layer_decay_scales_from_the_head_down(name):
    model = model_of(name)
    groups = param_groups_layer_decay(model, layer_decay=0.5, no_weight_decay_list=model.no_weight_decay())
    count = sum(model.design.depths) + 2
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))
    scales = sorted({group["lr_scale"] for group in groups})
    if model.num_classes:
        assert scales[-1] == 1.0
    assert scales[0] == 0.5 ** (len(scales) - 1)
    assert len(scales) <= count


def test_what_is_added_is_not_decayed():
    found = model_of("deit_s").no_weight_decay()
    assert found == {"stem.1.class_token", "stem.1.position_embedding"}
    model = model_of("swin_t")
    tables = {path for path, _ in model.named_parameters() if "relative_position_bias" in path}
    assert model.no_weight_decay() == tables != set()
    assert model_of("convnext_t").no_weight_decay() == set()
    optimizer = create_optimizer_v2(model, "adamw", lr=1e-3, weight_decay=0.05, layer_decay=0.9)
    decayed = {
        id(parameter) for group in optimizer.param_groups if group["weight_decay"] for parameter in group["params"]
    }
    for path, parameter in model.named_parameters():
        assert (id(parameter) in decayed) == (parameter.ndim > 1 and path not in tables), path
