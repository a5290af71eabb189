"""Optimisers and the average of weights: they step as torch's do, each group at its own rate."""

import copy
import functools

import pytest
import timm.optim.muon
import torch
from torch.nn import functional

from convlab import build
from convlab.language.files import load_text
from convlab.training.optimization.averaging import ExponentialAverage
from convlab.training.optimization.groups import BESIDE_MUON
from convlab.training.optimization.optimizers import optimizer
from convlab.training.optimization.schedules import set_learning_rate
from convlab.training.recipes.named import changed
from convlab.training.recipes.recipe import Recipe

DESIGN = load_text(
    """
    depths = [1, 1]
    widths = [8, 16]
    image = { size = 16, channels = 1 }
    stem.patch_size = 2
    block.norm = "batch_norm"
    head.classes = 4
    """
)
IMAGES = torch.randn(8, 1, 16, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(8) % 4
RATES = {"adamw": 3e-3, "sgd": 0.03, "muon": 0.02}


def network():
    return build(DESIGN, seed=0)


def chosen(kind, **values):
    return changed(Recipe(), {"optimizer": kind, "learning_rate": RATES[kind], "weight_decay": 0.05, **values})


def train(model, stepping, steps, rates=None):
    losses = []
    for step in range(steps):
        if rates:
            set_learning_rate(stepping, rates[step])
        loss = functional.cross_entropy(model(IMAGES), LABELS)
        stepping.zero_grad()
        loss.backward()
        stepping.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("kind", RATES)
def test_every_optimizer_learns_a_batch_by_heart(kind):
    model = network()
    losses = train(model, optimizer(model, chosen(kind), DESIGN), 30)
    assert losses[-1] < 0.5 * losses[0]


def test_adamw_is_torchs_with_betas_and_epsilon():
    recipe = chosen("adamw", momentum=0.8, beta2=0.95, epsilon=1e-6)
    ours, theirs = network(), network()
    train(ours, optimizer(ours, recipe, DESIGN), 5)
    decayed, spared = [], []
    for parameter in theirs.parameters():
        (decayed if parameter.ndim > 1 else spared).append(parameter)
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": spared, "weight_decay": 0.0}]
    train(theirs, torch.optim.AdamW(groups, 3e-3, (0.8, 0.95), 1e-6, fused=False, foreach=False), 5)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_sgd_is_torchs_with_nesterov():
    recipe = chosen("sgd", weight_decay=0.0)
    ours, theirs = network(), network()
    train(ours, optimizer(ours, recipe, DESIGN), 5)
    train(theirs, torch.optim.SGD(theirs.parameters(), 0.03, 0.9, nesterov=True, fused=False), 5)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_momentum_can_be_none():
    model = network()
    assert train(model, optimizer(model, chosen("sgd", momentum=0.0), DESIGN), 2)


def with_gradients(model):
    """The parameters by name, with gradients of noise, whose singular values are all of one order."""
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    return dict(model.named_parameters())


def test_muon_steps_dense_weights_as_torchs_and_the_others_as_adamw():
    start, theirs = (with_gradients(network()) for _ in range(2))
    model = network()
    stepping = optimizer(model, chosen("muon", momentum=0.95, beta2=0.99), DESIGN)
    ours = with_gradients(model)
    stepping.step()
    dense = {name for group in stepping.param_groups if group["kind"] == "muon" for name in group["names"]}
    matrices = {name: theirs[name].detach().flatten(1).clone().requires_grad_() for name in dense}
    for name, matrix in matrices.items():
        matrix.grad = theirs[name].grad.flatten(1)
    torch.optim.Muon(matrices.values(), 0.02, 0.05, 0.95, nesterov=True).step()
    others = [parameter for name, parameter in theirs.items() if name not in dense]
    groups = [{"params": [one], "weight_decay": 0.05 if one.ndim > 1 else 0.0} for one in others]
    torch.optim.AdamW(groups, 0.02 * BESIDE_MUON, (0.95, 0.99), 1e-8).step()
    assert {"stages.0.blocks.0.mlp.fc1.weight", "stages.1.downsample.1.weight"} <= dense
    for name, parameter in ours.items():
        if name in dense:  # torch runs Newton and Schulz's iteration in bfloat16
            step, wanted = ((moved.view_as(parameter) - start[name]).detach() for moved in (parameter, matrices[name]))
            assert (step - wanted).norm() < 0.02 * wanted.norm(), name
        else:
            torch.testing.assert_close(parameter, theirs[name], rtol=1e-4, atol=1e-6)


def test_muon_is_timms_in_float32(monkeypatch):
    """Matrices of one shape are stepped together here, one by one there."""
    exact = functools.partial(timm.optim.muon.zeropower_via_newtonschulz, dtype=torch.float32)
    monkeypatch.setattr(timm.optim.muon, "zeropower_via_newtonschulz", exact)
    ours, theirs = network(), network()
    stepping = optimizer(ours, chosen("muon", momentum=0.95, beta2=0.99), DESIGN)
    groups = [
        {**group, "params": [dict(theirs.named_parameters())[name] for name in group["names"]]}
        for group in stepping.param_groups
    ]
    for group in groups:
        group["use_muon"] = group["nesterov"] = group["kind"] == "muon"
        group |= {"momentum": 0.95, "betas": (0.95, 0.99), "eps": 1e-7 if group["use_muon"] else 1e-8}
    other = timm.optim.muon.Muon(groups, ns_coefficients="original", adjust_lr_fn="original")
    train(ours, stepping, 3)
    train(theirs, other, 3)
    for (name, one), two in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if not name.endswith("conv_dw.bias"):  # before a batch norm: its gradient is what rounding leaves of zero
            torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-5)


def test_muon_leaves_parameters_without_a_gradient_alone():
    model = network()
    stepping = optimizer(model, chosen("muon"), DESIGN)
    named = with_gradients(model)
    still = {"stages.0.blocks.0.mlp.fc1.weight", "head.fc.bias"}
    before = {name: named[name].detach().clone() for name in still}
    for name in still:
        named[name].grad = None
    stepping.step()
    assert all(torch.equal(named[name], before[name]) for name in still)


@pytest.mark.parametrize("kind", RATES)
def test_a_group_without_a_rate_stands_still(kind):
    model = network()
    stepping = optimizer(model, chosen(kind, layer_decay=0.5), DESIGN)
    assert {group["lr"] for group in stepping.param_groups} == {
        RATES[kind] * group["lr_scale"] for group in stepping.param_groups
    }
    before = copy.deepcopy(dict(model.named_parameters()))
    train(model, stepping, 2, rates=[0.0, 0.0])
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter, before[name], rtol=0, atol=0)


@pytest.mark.parametrize("kind", RATES)
def test_training_goes_on_from_the_state_of_an_optimizer(kind):
    rates = [RATES[kind] * (1 - step / 6) for step in range(6)]
    whole = network()
    train(whole, optimizer(whole, chosen(kind), DESIGN), 6, rates)
    first = network()
    stepping = optimizer(first, chosen(kind), DESIGN)
    train(first, stepping, 3, rates[:3])
    second = network()
    second.load_state_dict(first.state_dict())
    resumed = optimizer(second, chosen(kind), DESIGN)
    resumed.load_state_dict(stepping.state_dict())
    train(second, resumed, 3, rates[3:])
    for one, other in zip(whole.state_dict().values(), second.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_an_average_of_weights():
    model = network()
    average = ExponentialAverage(model, 0.9)
    stepping = optimizer(model, chosen("sgd"), DESIGN)
    expected = None
    for step in range(4):
        train(model, stepping, 1)
        average.update(model, step)
        now = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        expected = now if expected is None else {name: mixed(expected[name], now[name]) for name in now}
    assert list(average.state()) == list(expected)
    for name, tensor in average.state().items():
        torch.testing.assert_close(tensor, expected[name])
    assert not average.model.training
    assert average.state()["stages.0.blocks.0.norm.num_batches_tracked"] == 4


def mixed(old, new):
    return old * 0.9 + new * 0.1 if old.is_floating_point() else new


def test_an_average_goes_on_from_its_state():
    model = network()
    one = ExponentialAverage(model, 0.9)
    stepping = optimizer(model, chosen("adamw"), DESIGN)
    train(model, stepping, 1)
    one.update(model, 0)
    other = ExponentialAverage(network(), 0.9)
    other.load({name: tensor.clone() for name, tensor in one.state().items()})
    train(model, stepping, 1)
    for average in (one, other):
        average.update(model, 1)
    for first, second in zip(one.state().values(), other.state().values(), strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=0)
