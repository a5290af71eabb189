"""Maps that are written over are nobody else's: outputs, gradients and what hooks see are as they are out of place."""

import pytest
import torch
from designs import preset
from torch import nn
from weights import images, randomized

from convlab import build, turn
from convlab.language.design import Design
from convlab.modules import GELU2d, InPlaceReLU, InPlaceSiLU

NETWORKS = [
    "resnet18",
    "regnety_400mf",
    "mobilenet_v2",
    "efficientnet_b0",
    "convnext_atto",
    "convnext_v2_atto",
    "repvgg_a0",
]


def made(name):
    design = preset(name)
    assert isinstance(design, Design)
    design = turn(design, "drop_path", 0.0)
    return randomized(build(design, seed=0))


def hooked(model):
    """Hooks of the backward pass on all modules: each makes a view of a module's output, which may not be written over."""
    return [module.register_full_backward_hook(lambda *_: None) for module in model.modules()]


def gradients(model, batch):
    model.zero_grad()
    model(batch).square().mean().backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_those_of_a_network_that_records_gradients(name):
    model, batch = made(name), images()
    with torch.no_grad():
        found = model(batch)
    torch.testing.assert_close(found, model(batch).detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_those_of_a_network_whose_maps_all_stay(name, training):
    """With hooks nothing is written over. They are also why a user's own hooks work."""
    model, batch = made(name).train(training), images().requires_grad_()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    found = gradients(model, batch)
    hooks = hooked(model)
    expected = gradients(model, batch)
    assert hooks
    assert found.keys() == expected.keys()
    for path, gradient in found.items():
        torch.testing.assert_close(gradient, expected[path], rtol=1e-4, atol=1e-6, msg=path)


def test_something_is_written_over():
    """ReLU networks do so in training too; a hook that keeps what it sees shows it."""
    for name, kind, also_in_training in (("resnet18", InPlaceReLU, True), ("efficientnet_b0", InPlaceSiLU, False)):
        model, seen = made(name), {}
        activation = next(
            path for path, module in model.named_modules() if isinstance(module, kind) and path.endswith("act1")
        )
        norm = model.get_submodule(activation.replace("act", "norm"))
        norm.register_forward_hook(
            lambda module, given, output, seen=seen: seen.update(kept=output, clone=output.clone())
        )
        with torch.inference_mode():
            model(images())
        assert not torch.equal(seen["kept"], seen["clone"])
        model.train()(images())
        assert torch.equal(seen["kept"], seen["clone"]) is not also_in_training


@pytest.mark.parametrize("name", NETWORKS)
def test_a_block_leaves_its_input_as_it_is(name):
    model = made(name)
    given = []

    def look(module, arguments, output):
        given.append((arguments[0], arguments[0].clone()))

    for stage in model.stages:
        for block in stage.blocks:
            block.register_forward_pre_hook(lambda module, arguments: look(module, arguments, None))
            with torch.inference_mode():
                x = torch.randn(1, _channels(block), 8, 8).to(memory_format=torch.channels_last)
                block(x)
    assert given
    assert all(torch.equal(one, clone) for one, clone in given)


def _channels(block):
    """The channels that a block takes: those of the first of its modules that has a weight for each."""
    weights = [(name, weight) for name, weight in block.named_parameters() if weight.dim() == 4]
    name, weight = weights[0]
    return weight.shape[1] * getattr(block.get_submodule(name.rpartition(".")[0]), "groups", 1)


def test_a_pre_activation_leaves_what_the_shortcut_takes():
    """An activation that comes first in a branch may not write over the block's input."""
    design = turn(turn(preset("resnet18"), "block.kind", "custom"), "block.branch", ["activation(relu)", "conv(3, 1x)"])
    model = randomized(build(design, seed=0))
    with torch.no_grad():
        found = model(images())
    torch.testing.assert_close(found, model(images()).detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "convnext_atto"])
def test_autocast_keeps_the_dtype_that_a_sum_has(name):
    """A branch in bfloat16 and a shortcut in float32 sum up to float32, at inference as in training."""
    model, seen = made(name), {}
    block = model.stages[0].blocks[0]
    block.register_forward_hook(lambda module, given, output: seen.update(dtype=output.dtype))
    dtypes = []
    for recording in (False, True):
        with torch.set_grad_enabled(recording), torch.autocast("cpu", torch.bfloat16):
            model(images())
        dtypes.append(seen["dtype"])
    assert dtypes[0] == dtypes[1]


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_in_any_order_of_memory(approximate):
    maps = torch.randn(2, 8, 5, 7)
    orders = [maps, maps.to(memory_format=torch.channels_last), maps.transpose(2, 3), maps[:, ::2], maps[:, :, 0, 0]]
    for x in orders:
        found = GELU2d(approximate=approximate)(x)
        torch.testing.assert_close(found, nn.functional.gelu(x, approximate=approximate))
        assert found.shape == x.shape
    assert GELU2d()(orders[1]).is_contiguous(memory_format=torch.channels_last)


def test_traced_graphs_keep_every_map():
    """What torch.fx traces may be asked for any map, with gradients recorded or not."""
    model, batch = made("resnet18"), images()
    for recording in (False, True):
        with torch.set_grad_enabled(recording):
            traced = torch.fx.symbolic_trace(model.stages[0])
            assert not [node for node in traced.graph.nodes if node.kwargs.get("inplace")]
            maps = model.stem(batch).detach()
            torch.testing.assert_close(traced(maps), model.stages[0](maps))


def test_torchscript_and_compiled_graphs_take_them():
    model, batch = made("resnet18"), images()
    scripted = torch.jit.script(model.stages)
    for recording in (False, True):
        with torch.set_grad_enabled(recording):
            maps = model.stem(batch).detach()
            expected = model.stages[0](maps)
            torch.testing.assert_close(scripted[0](maps), expected)
            compiled = torch.compile(model.stages[0], backend="eager", fullgraph=True)
            torch.testing.assert_close(compiled(maps), expected)
