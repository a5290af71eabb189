"""A training that diverges ends as a result: with the step, the layer that began it, and the last good checkpoint."""

import math
from collections import OrderedDict

import pytest
import torch
from small_trainings import RESNET, design_of, drawn, recipe_of, trained_in
from torch import nn

from convlab.models import build
from convlab.training.keeping import checkpoints
from convlab.training.running import loop, tracing
from convlab.training.running.distributed import ALONE
from convlab.training.running.divergence import DivergedError, Watch, observed
from convlab.training.running.member import begun

WILD = recipe_of(optimizer="sgd", learning_rate=100.0, schedule="constant", warmup=0.0, evaluations=8)


def weights_with(path, value, design=None):
    weights = build(design or design_of(), seed=0).state_dict()
    weights[path].flatten()[0] = value
    return weights


def test_the_first_layer_whose_output_is_not_finite_is_named(tmp_path):
    weights = weights_with("stages.1.blocks.0.mlp.fc1.weight", math.inf)
    result = trained_in(tmp_path, weights=weights)
    assert result.failure == (
        "diverged: the loss of step 1 is not finite, first in the output of stages.1.blocks.0.mlp.fc1; there was no checkpoint before it"
    )
    assert not result.stopped
    assert result.checkpoint is None
    assert math.isnan(result.test_loss)


def test_a_gradient_that_is_too_large_to_be_summed_up_is_named(tmp_path):
    # The branch is silenced by its layer scale, whose gradient is the sum of what it silences: its square is too large for float32.
    weights = weights_with("stages.0.blocks.0.mlp.fc2.bias", 1e38)
    weights["stages.0.blocks.0.gamma"].zero_()
    result = trained_in(tmp_path, weights=weights, recipe=recipe_of(drop_path=0.0))
    assert result.failure.startswith(
        "diverged: the gradient of step 1 is not finite, largest in stages.0.blocks.0.gamma; "
    )


class Root(nn.Module):
    """Its gradient at 0 is infinite."""

    def forward(self, x):
        return x.sqrt()


def test_the_layer_whose_gradient_is_not_finite_first_is_named():
    model = nn.Sequential(OrderedDict(first=nn.Linear(2, 2, bias=False), root=Root(), last=nn.Linear(2, 1)))
    with observed(model) as culprits:
        model(torch.zeros(1, 2)).sum().backward()
    assert culprits[0] == ("gradient", "first")
    with observed(model) as culprits:
        model(-torch.ones(1, 2) @ model.first.weight.detach().inverse().T)
    assert culprits[0] == ("output", "root")


def test_a_learning_rate_that_is_too_high_leaves_the_last_good_checkpoint(tmp_path):
    result = trained_in(tmp_path, recipe=WILD)
    assert result.failure.startswith("diverged: ")
    assert result.checkpoint is not None
    assert result.failure.endswith(f"the last good checkpoint is {result.checkpoint.name}")
    kept = checkpoints.read(result.checkpoint).tensors["model"]
    assert all(tensor.isfinite().all() for tensor in kept.values())
    assert trained_in(tmp_path, recipe=WILD, resume=True) == result


@pytest.mark.parametrize(
    ("saved_at", "dtype", "rate"), [(0, "float32", 3e3), (2, "float32", 3e3), (2, "float16", 100.0)]
)
def test_noticed_late_it_is_traced_back_from_the_last_checkpoint(tmp_path, saved_at, dtype, rate):
    """As on a GPU, whose losses are read every so many steps: by then the weights are not finite any more."""
    told = []
    for stride in (1, 20):
        recipe = recipe_of(
            optimizer="sgd", learning_rate=rate, schedule="constant", warmup=0.0, samples=16 * 60, dtype=dtype
        )
        member = begun(
            design_of(),
            drawn(),
            recipe,
            seed=0,
            folder=tmp_path / str(stride),
            group=ALONE,
            resume=False,
            weights=None,
        )
        if saved_at:
            loop._stretch(member, saved_at, 3600.0)
            loop._stretch(member, saved_at, 3600.0)
            member.save()
        member.stride, member.warm = stride, True
        with pytest.raises(DivergedError) as raised:
            loop._stretch(member, 60, 3600.0)
        told.append((raised.value.step, tracing.explained(member, raised.value)[0]))
    assert told[0] == told[1]
    assert told[0][0] >= 2
    assert " first in the " in told[0][1]


def test_a_judged_network_that_is_not_finite_is_a_divergence(tmp_path):
    weights = weights_with("stages.0.blocks.0.norm1.running_var", math.nan, design_of(RESNET))
    result = trained_in(tmp_path, design=design_of(RESNET), weights=weights)
    assert "a weight after step" in result.failure or "the validation loss after step" in result.failure
    assert "stages.0.blocks.0.norm1" in result.failure


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    member = begun(
        design_of(),
        drawn(),
        recipe_of(),
        seed=0,
        folder=tmp_path,
        group=ALONE,
        resume=False,
        weights=weights_with("head.fc.bias", math.nan),
    )
    with pytest.raises(DivergedError) as raised:
        member.save()
    assert raised.value.layer == "head.fc.bias"
    assert checkpoints.found(tmp_path) == []


def test_the_watch_names_the_first_bad_step():
    watch = Watch()
    for loss, norm in ((1.0, 2.0), (0.5, math.inf), (math.nan, math.nan)):
        watch.note(torch.tensor(loss), torch.tensor(norm))
    with pytest.raises(DivergedError) as raised:
        watch.read(12)
    assert (raised.value.step, raised.value.what) == (11, "the gradient")


def test_float16_looks_for_its_scale_and_is_not_taken_for_divergence():
    watch = Watch(scaled=True)
    watch.note(torch.tensor(1.5), torch.tensor(math.inf))
    assert watch.read(3, scale=4.0) == [1.5]
    watch.note(torch.tensor(1.5), torch.tensor(math.inf))
    with pytest.raises(DivergedError):
        watch.read(4, scale=2.0**-15)


def test_observing_leaves_no_hook_behind():
    model = build(design_of())
    with observed(model) as culprits:
        model(torch.randn(2, 1, 16, 16)).sum().backward()
    assert culprits == []
    assert not any(module._forward_hooks for module in model.modules())
    assert not any(parameter._backward_hooks for parameter in model.parameters())
