"""Maps that are written over are nobody else's: outputs, gradients and what hooks see are as they are out of place."""

import pytest
import torch
from designs import preset, small
from torch import nn
from torch.autograd import forward_ad
from torch.utils.checkpoint import checkpoint
from weights import images, randomized

from convlab import build, turn
from convlab.language.design import Design
from convlab.modules import GELU2d, InPlaceHardswish, InPlaceReLU, InPlaceReLU6, InPlaceSiLU

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
    design = small(name)
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
    model = made(name).train(training)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    assert_gradients_of_maps_that_stay(model)


def assert_gradients_of_maps_that_stay(model):
    batch = images().requires_grad_()
    found = gradients(model, batch)
    assert hooked(model)
    expected = gradients(model, batch)
    assert found.keys() == expected.keys()
    for path, gradient in found.items():
        torch.testing.assert_close(gradient, expected[path], rtol=1e-4, atol=1e-6, msg=path)


def custom(*branch):
    """ResNet-18 with blocks of the given layers."""
    design = turn(turn(preset("resnet18"), "block.kind", "custom"), "block.branch", list(branch))
    return randomized(build(design, seed=0))


@pytest.mark.parametrize(
    "branch",
    [
        ["conv(3, 1x)", "activation(tanh)", "activation(relu)", "norm"],
        ["conv(3, 1x)", "norm", "activation(sigmoid)", "activation(relu)", "conv(1, 1x)"],
        ["conv(3, 1x)", "norm", "activation(relu)", "activation(relu)"],
        ["conv(3, 1x)", "activation(silu)", "activation(tanh)", "activation(relu6)", "activation(relu)"],
    ],
)
def test_an_activation_leaves_what_the_one_before_needs_for_its_gradient(branch):
    model = custom(*branch)
    assert_gradients_of_maps_that_stay(model.train())
    with torch.no_grad():
        found = model.eval()(images())
    torch.testing.assert_close(found, model(images()).detach(), rtol=1e-5, atol=1e-5)


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
    model = custom("activation(relu)", "conv(3, 1x)")
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
    assert GELU2d()(orders[0]).is_contiguous()
    assert GELU2d()(orders[1]).is_contiguous(memory_format=torch.channels_last)


def test_gelu_moves_the_axes_of_channels_last_maps_alone():
    """What is traced as it runs shows it: one operation more each way costs an export its speed, one less a CPU's."""
    maps = torch.randn(2, 8, 5, 7)
    for x, moves in ((maps, 0), (maps.to(memory_format=torch.channels_last), 2)):
        program = torch.export.export(GELU2d(), (x,))
        found = [node for node in program.graph.nodes if node.op == "call_function" and "gelu" not in str(node.target)]
        assert len(found) == moves


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("kind", [InPlaceReLU, InPlaceReLU6, InPlaceSiLU, InPlaceHardswish])
def test_a_checkpointed_segment_may_start_at_an_activation(kind, reentrant):
    """The backward pass runs it again, from a map that has to be what it was."""
    torch.manual_seed(0)
    leaf, last = (3 * torch.randn(2, 4, 6, 6)).requires_grad_(), nn.Conv2d(4, 4, 3)
    plain = next(base for base in kind.__mro__ if base.__module__.startswith("torch.nn"))()
    found = []
    for run in (lambda h: checkpoint(kind(), h, use_reentrant=reentrant), plain):
        for start in (lambda h: h, lambda h: 2 * h + 1):
            leaf.grad = last.weight.grad = None
            last(run(start(leaf))).square().sum().backward()
            found.append((leaf.grad, last.weight.grad))
    for one, other in zip(found[:2], found[2:], strict=True):
        torch.testing.assert_close(one, other)


def test_traced_graphs_keep_every_map():
    """What torch.fx traces may be asked for any map, with gradients recorded or not."""
    model, batch = made("resnet18"), images()
    for recording in (False, True):
        with torch.set_grad_enabled(recording):
            traced = torch.fx.symbolic_trace(model.stages[0])
            assert not [node for node in traced.graph.nodes if node.kwargs.get("inplace")]
            maps = model.stem(batch).detach()
            torch.testing.assert_close(traced(maps), model.stages[0](maps))


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
@pytest.mark.parametrize("name", ["convnext_atto", "resnet18"])
def test_what_is_traced_without_gradients_gives_them(name):
    model, batch = made(name).eval(), images()
    with torch.no_grad():
        traced = torch.jit.trace(model, batch)
    found, expected = gradients(traced, batch), gradients(model, batch)
    assert found.keys() == expected.keys()
    for path, gradient in found.items():
        torch.testing.assert_close(gradient, expected[path], rtol=1e-4, atol=1e-6, msg=path)


@pytest.mark.parametrize("name", ["convnext_atto", "resnet18"])
def test_function_transforms_and_forward_derivatives_take_them(name):
    """Ensembles and directional derivatives, with gradients recorded or not."""
    model, batch, direction = made(name).eval(), images(), torch.randn_like(images())
    stacked = {path: torch.stack([weight, weight]).detach() for path, weight in model.named_parameters()}
    derivatives = []
    for recording in (False, True):
        with torch.set_grad_enabled(recording):
            expected = model(batch)
            both = torch.func.vmap(lambda weights: torch.func.functional_call(model, weights, (batch,)))(stacked)
            torch.testing.assert_close(both, torch.stack([expected, expected]), rtol=1e-4, atol=1e-4)
            derivatives.append(torch.func.jvp(model, (batch,), (direction,))[1])
            with forward_ad.dual_level():
                derivatives.append(forward_ad.unpack_dual(model(forward_ad.make_dual(batch, direction))).tangent)
    for derivative in derivatives[1:]:
        torch.testing.assert_close(derivative, derivatives[0], rtol=1e-4, atol=1e-4)


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
