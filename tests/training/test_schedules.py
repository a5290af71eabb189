"""Courses of the learning rate: those of torch, timm and ConvNeXt, step by step."""

import math

import numpy
import pytest
import torch
from timm.scheduler import CosineLRScheduler, PolyLRScheduler

from convlab.training.optimization.schedules import Schedule, schedule, set_learning_rate
from convlab.training.recipes.named import changed, recipe
from convlab.training.recipes.recipe import Recipe

KINDS = ("one_cycle", "cosine", "linear", "constant")


def course(chosen, steps):
    return [chosen.learning_rate(step, steps) for step in range(steps)]


def timm_course(kind, steps, **options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    scheduler = kind(optimizer, t_initial=steps, lr_min=1e-3, t_in_epochs=False, **options)
    rates = []
    for step in range(steps):
        scheduler.step_update(step)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def test_cosine_is_timms():
    assert course(Schedule("cosine", 0.4, 1e-3), 57) == pytest.approx(timm_course(CosineLRScheduler, 57), rel=1e-12)


def test_after_the_warm_up_cosine_is_timms():
    ours = course(Schedule("cosine", 0.4, 1e-3, warmup=10 / 67), 67)
    assert ours[10:] == pytest.approx(timm_course(CosineLRScheduler, 57), rel=1e-12)


def test_linear_is_timms_polynomial_of_power_one():
    theirs = timm_course(PolyLRScheduler, 40, power=1.0)
    assert course(Schedule("linear", 0.4, 1e-3), 40) == pytest.approx(theirs, rel=1e-12)


def test_the_published_course_of_convnext():
    steps_an_epoch = 7
    chosen = schedule(recipe("imagenet_convnext"))
    warm, rest = 20 * steps_an_epoch, 280 * steps_an_epoch
    falling = [1e-6 + 0.5 * (4e-3 - 1e-6) * (1 + math.cos(math.pi * step / rest)) for step in range(rest)]
    published = [*numpy.linspace(0, 4e-3, warm), *falling]
    assert course(chosen, warm + rest) == pytest.approx(published, rel=1e-9, abs=1e-18)


@pytest.mark.parametrize("steps", [10, 100, 512])
@pytest.mark.parametrize("warmup", [0.2, 0.3])
def test_one_cycle_is_torchs(steps, warmup):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.06)
    final = 1e-4
    options = {"pct_start": warmup, "final_div_factor": 0.06 / 25 / final, "cycle_momentum": False}
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.06, total_steps=steps, **options)
    theirs = []
    for _ in range(steps):
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(theirs) < steps:
            scheduler.step()
    assert course(Schedule("one_cycle", 0.06, final, warmup), steps) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("warmup", [0.0, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 3, 50])
def test_every_course_stays_between_zero_and_the_peak(kind, warmup, steps):
    chosen = Schedule(kind, 0.1, 0.01, warmup)
    rates = course(chosen, steps)
    assert all(0 <= rate <= 0.1 + 1e-15 for rate in rates)
    assert (
        chosen.learning_rate(steps, steps)
        == chosen.learning_rate(steps + 9, steps)
        == (0.1 if kind == "constant" else 0.01)
    )
    top = rates.index(max(rates))
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[: top + 1] == sorted(rates[: top + 1])


def test_a_constant_rate():
    assert course(Schedule("constant", 0.1, warmup=0.3), 10) == pytest.approx([0, 0.05, *[0.1] * 8])


def test_the_schedule_of_a_recipe():
    chosen = changed(
        Recipe(), {"learning_rate": 0.1, "learning_rate_batch": 256, "batch": 512, "epochs": 4, "warmup_epochs": 1}
    )
    assert schedule(chosen) == Schedule("cosine", 0.2, 0.0, 0.25)


def test_every_group_steps_with_its_factor():
    tensors = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    groups = [{"params": [tensor], "lr_scale": scale} for tensor, scale in zip(tensors, (1.0, 0.15), strict=True)]
    optimizer = torch.optim.AdamW(groups)
    set_learning_rate(optimizer, 0.2)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.2, 0.03])
