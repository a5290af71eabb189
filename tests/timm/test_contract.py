"""What timm's own test suite asks of timm's models, asked of a network of every family."""

import pytest
import timm
import timm.data
import torch
from contract_networks import NETWORKS, design_named, images_of, model_of
from torch import nn

from convlab import ConvlabError, build, load
from convlab.modules import DropPath

POOLS = {"average": "avg", "max": "max", "token": "token"}


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_the_built_model(name):
    """Weights by name, order and shape, and the scores that they give."""
    built = build(design_named(name), seed=0, channels_last=False).eval()
    model = model_of(name).eval()
    shapes = [[(key, value.shape) for key, value in net.state_dict().items()] for net in (model, built)]
    assert shapes[0] == shapes[1]
    model.load_state_dict(built.state_dict())
    with torch.no_grad():
        assert torch.allclose(model(images_of(model)), built(images_of(model)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_features_then_head(name):
    model = model_of(name, num_classes=42).eval()
    x = images_of(model)
    with torch.no_grad():
        features, scores = model.forward_features(x), model(x)
        if model.design.stem.class_token:
            height, width = model.default_cfg["input_size"][1:]
            assert features.shape == (2, 1 + height // 16 * (width // 16), model.num_features)
        else:
            assert features.shape == (2, model.num_features, *model.default_cfg["pool_size"])
        assert scores.shape == (2, 42)
        assert torch.equal(model.forward_head(features), scores)
        before = model.forward_head(features, pre_logits=True)
        assert before.shape == (2, model.head_hidden_size)
        assert torch.equal(model.get_classifier()(before), scores)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_configuration_is_the_models(name):
    model = model_of(name)
    found, weights, image = model.default_cfg, model.state_dict(), model.design.image.shape
    assert found is model.pretrained_cfg
    assert found["architecture"] == "convlab"
    assert found["num_classes"] == model.num_classes == model.design.head.classes
    assert found["input_size"] == tuple(image)
    assert model.get_submodule(found["classifier"]) is model.get_classifier()
    assert (f"{found['classifier']}.weight" in weights) == (model.num_classes > 0)
    first = found["first_conv"]
    for path in [first] if isinstance(first, str) else first:
        assert weights[f"{path}.weight"].shape[1] == model.in_chans == image.channels
    data = timm.data.resolve_data_config(model=model)
    assert data["input_size"] == tuple(image)
    assert len(data["mean"]) == len(data["std"]) == image.channels


@pytest.mark.parametrize("name", NETWORKS)
def test_the_classifier_comes_and_goes(name):
    model = model_of(name).eval()
    x, kind = images_of(model), POOLS[model.design.head.pool]
    with torch.no_grad():
        features = model.forward_features(x)
        model.reset_classifier(0)
        pooled = model(x)
        assert isinstance(model.get_classifier(), nn.Identity)
        assert model.num_classes == 0
        assert pooled.shape == (2, model.head_hidden_size)
        model.reset_classifier(0, "")
        unpooled = model(x)
        assert unpooled.numel() * model.num_features == features.numel() * model.head_hidden_size
        assert unpooled.ndim == features.ndim
        model.reset_classifier(5, "")
        tokens = model.design.stem.class_token
        assert model(x).shape == ((2, features.shape[1], 5) if tokens else (2, 5, *features.shape[2:]))
        model.reset_classifier(5, kind)
        assert model(x).shape == (2, 5)
        model.reset_classifier(0)
        assert torch.equal(model(x), pooled)
        for other in ("avg", "max", "avgmax"):
            model.reset_classifier(7, other)
            assert model(x).shape == (2, 7)
            assert model.head_hidden_size == pooled.shape[1]


@pytest.mark.parametrize("name", ["resnet18", "convnext_iso_s", "attention-vit-map"])
def test_the_layers_after_a_pool_that_is_off_see_each_pixel(name):
    """One pixel's class scores are those of the head on a map of that pixel alone."""
    model = model_of(name, num_classes=3).eval()
    features = model.forward_features(images_of(model))
    pixel = model.forward_head(features[:, :, 1:2, 1:2])
    classifier = model.get_classifier()
    model.reset_classifier(3, "")
    model.get_classifier().load_state_dict(classifier.state_dict())
    assert torch.allclose(model.forward_head(features)[:, :, 1, 1], pixel, atol=1e-5)


def test_a_pool_may_give_two_numbers_a_channel():
    model = model_of("resnet18", global_pool="catavgmax", num_classes=4).eval()
    assert model.head_hidden_size == 2 * model.num_features == model.get_classifier().in_features
    assert model(images_of(model)).shape == (2, 4)
    for name in ("convnext_t", "attention-vit-map"):
        with pytest.raises(ConvlabError, match="two numbers a channel"):
            model_of(name, global_pool="catavgmax")


@pytest.mark.parametrize(("kind", "message"), [("mean", "no global pool"), ("token", "no class token")])
def test_a_pool_that_is_not_there(kind, message):
    with pytest.raises(ConvlabError, match=message):
        model_of("resnet18", global_pool=kind)
    with pytest.raises(ConvlabError, match=message):
        model_of("resnet18").reset_classifier(5, kind)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_gets_a_gradient(name):
    model = model_of(name, num_classes=42).train()
    model(images_of(model)).square().mean().backward()
    for path, parameter in model.named_parameters():
        assert parameter.grad is not None, path
        assert torch.isfinite(parameter.grad).all(), path


@pytest.mark.parametrize("name", NETWORKS)
def test_checkpointing_gives_the_same_gradients(name):
    gradients = []
    for enabled in (False, True):
        model = model_of(name, drop_path_rate=0.0, drop_rate=0.0).train()
        model.set_grad_checkpointing(enabled)
        model(images_of(model)).square().sum().backward()
        gradients.append({path: parameter.grad for path, parameter in model.named_parameters()})
    for path, expected in gradients[0].items():
        assert torch.allclose(gradients[1][path], expected, rtol=1e-4, atol=1e-5 * expected.abs().max()), path


@pytest.mark.parametrize("name", ["convnext_t", "resnet18", "swin_t", "convnext_iso_s"])
def test_checkpointing_keeps_less(name):
    def kept_bytes(enabled):
        model = model_of(name).train()
        model.set_grad_checkpointing(enabled)
        weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
        storages = {}

        def keep(tensor):
            storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            scores = model(images_of(model))
        return sum(size for place, size in storages.items() if place not in weights), scores

    (with_it, _), (without, _) = kept_bytes(True), kept_bytes(False)
    assert with_it < 0.7 * without


def test_arguments_are_the_designs_knobs():
    model = timm.create_model(
        "convlab_convnext_atto", num_classes=7, in_chans=5, drop_rate=0.25, drop_path_rate=0.5, img_size=(64, 96)
    )
    design = model.design
    assert (design.head.classes, design.image.channels, design.image.size) == (7, 5, (64, 96))
    assert (design.head.dropout, design.drop_path) == (0.25, 0.5)
    assert (model.drop_rate, model.num_classes, model.in_chans) == (0.25, 7, 5)
    rates = [module.rate for module in model.modules() if isinstance(module, DropPath)]
    assert rates[-1] == 0.5
    assert model.head.drop.p == 0.25
    assert model.stem[0].in_channels == 5


def test_without_arguments_the_design_stays_as_it_is():
    assert timm.create_model("convlab_efficientnet_b0").design == load("efficientnet_b0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"drop_path_rate": 1.5}, "drop_path"),
        ({"num_classes": -1}, "head.classes"),
        ({"img_size": 0}, "image.size"),
        ({"output_stride": 3}, "an output stride of 3 cannot be reached"),
    ],
)
def test_arguments_that_the_design_does_not_take(arguments, message):
    with pytest.raises(ConvlabError, match=message):
        timm.create_model("convlab_resnet18", **arguments)


def test_an_argument_that_no_model_has_is_an_error():
    with pytest.raises(TypeError, match="block_args"):
        timm.create_model("convlab_resnet18", block_args={})


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_dtype_and_device(dtype):
    model = model_of("convnext_t", dtype=dtype, num_classes=0)
    model.reset_classifier(3)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    with torch.device("meta"):
        assert next(timm.create_model("convlab_convnext_xl").parameters()).is_meta
    assert next(timm.create_model("convlab_convnext_xl", device="meta").parameters()).is_meta


def test_weights_are_laid_out_as_timms():
    model = model_of("convnext_t")
    assert all(parameter.is_contiguous() for parameter in model.parameters())
