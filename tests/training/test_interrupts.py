"""Ctrl-C and SIGTERM: what they end is saved, and they are heard wherever they come."""

import math
import signal

import pytest
from safetensors.torch import save_file
from small_trainings import design_of, drawn, recipe_of, trained_in
from test_divergence import weights_with
from torch.nn.modules.module import register_module_forward_hook

import convlab
from convlab.models.containers import ConvNet
from convlab.training.comparing import train
from convlab.training.keeping import checkpoints
from convlab.training.keeping.folders import RESULT

BAD = "stages.1.blocks.0.mlp.fc1.weight"


@pytest.fixture
def at_pass():
    """Calls something in the so-many-th forward pass of a network."""
    handles = []

    def hook(number, action, *, training=True):
        passes = []

        def look(module, inputs, output):
            if isinstance(module, ConvNet) and module.training == training:
                passes.append(1)
                if len(passes) == number:
                    action()

        handles.append(register_module_forward_hook(look))

    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    yield hook
    for handle in handles:
        handle.remove()
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def terminate():
    """As schedulers do, some of them again and again."""
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)


def test_sigterm_within_a_step_waits_for_its_end_and_saves(tmp_path, at_pass):
    at_pass(3, terminate)
    result = trained_in(tmp_path, show_s=3600.0)
    assert (result.stopped, result.steps) == (True, 3)
    assert result.checkpoint.name == "step-000003"
    straight, resumed = trained_in(tmp_path / "straight"), trained_in(tmp_path, resume=True)
    assert resumed.test_loss == straight.test_loss


def test_sigterm_within_an_evaluation_saves(tmp_path, at_pass):
    at_pass(1, lambda: signal.raise_signal(signal.SIGTERM), training=False)
    result = trained_in(tmp_path)
    assert (result.stopped, result.steps, result.curve) == (True, 4, ())
    assert [path.name for path in checkpoints.found(tmp_path)] == ["step-000004"]


def test_a_program_that_hears_sigterm_by_itself_is_left_alone(tmp_path):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *about: heard.append(1))
    try:
        result = trained_in(tmp_path)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (result.stopped, heard) == (False, [1])


def test_ctrl_c_in_the_step_that_diverges_is_heard(tmp_path, at_pass):
    at_pass(1, lambda: signal.raise_signal(signal.SIGINT))
    result = trained_in(tmp_path, weights=weights_with(BAD, math.inf))
    assert result.stopped
    assert result.failure == "diverged: the loss of step 1 is not finite; there was no checkpoint before it"
    assert not (tmp_path / RESULT).exists()


def test_ctrl_c_in_the_search_for_what_diverged_ends_it_and_the_comparison(tmp_path, at_pass):
    at_pass(2, lambda: signal.raise_signal(signal.SIGINT))
    weights = tmp_path / "bad.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in weights_with(BAD, math.inf).items()}, weights)
    options = {"recipe": recipe_of(samples=16 * 2), "data": drawn(), "device": "cpu", "folder": tmp_path / "a"}
    found = convlab.finished(train([design_of()], **options, weights=weights, seeds=2))
    assert found.stopped
    assert [each.failure.partition(";")[0] for each in found.trained] == ["diverged: the loss of step 1 is not finite"]
    assert not list(tmp_path.glob(f"a/*/{RESULT}"))


def test_too_little_memory_for_the_search_leaves_the_layer_open(tmp_path, at_pass):
    def refuse():
        raise MemoryError

    at_pass(2, refuse)
    result = trained_in(tmp_path, weights=weights_with(BAD, math.inf), recipe=recipe_of(batch=1, samples=8))
    assert result.failure == "diverged: the loss of step 1 is not finite; there was no checkpoint before it"
    assert not result.stopped
