"""Memory that is refused: in a step the batch is cut and nothing else changes; elsewhere one network fails, and the others are trained."""

import pytest
import torch
from small_trainings import RESNET, design_of, drawn, recipe_of, trained_in, work_of
from torch.nn.modules import module as modules
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

import convlab
from convlab.models.containers import ConvNet
from convlab.training.comparing import train
from convlab.training.keeping.checkpoints import read

REFUSAL = "CUDA out of memory. Tried to allocate 2.00 GiB"


@pytest.fixture
def hooked():
    """Hooks that are gone after the test."""
    handles = []
    yield handles.append
    for handle in handles:
        handle.remove()


def test_a_later_step_is_cut_too_and_counts_once_in_running_statistics(tmp_path, hooked):
    """As the averages of AdamW do it, which come with the first step: from the second one on, 16 images are too many."""
    taken = []
    hooked(register_optimizer_step_post_hook(lambda optimizer, *about: taken.extend(optimizer.param_groups[1:])))

    def refuse(model, inputs, scores):
        if isinstance(model, ConvNet) and model.training and taken and len(scores) > 8:
            raise torch.OutOfMemoryError(REFUSAL)

    hooked(modules.register_module_forward_hook(refuse))
    result = trained_in(tmp_path, design=design_of(RESNET), recipe=recipe_of(samples=16 * 4))
    assert (result.failure, result.steps, result.micro_batch) == ("", 4, 8)
    counts = {
        int(tensor)
        for name, tensor in read(result.checkpoint).tensors["model"].items()
        if name.endswith("num_batches_tracked")
    }
    assert counts == {1 + 3 * 2}
    assert "micro-batches of 8" in result.notes[0]


@pytest.mark.parametrize("moment", ["made", "stepped"])
def test_a_network_that_the_memory_does_not_hold_fails_alone(tmp_path, hooked, moment):
    said = []

    def refuse(*about):
        if not said:
            said.append(1)
            raise torch.OutOfMemoryError(REFUSAL)

    register = {
        "made": modules.register_module_parameter_registration_hook,
        "stepped": register_optimizer_step_pre_hook,
    }[moment]
    recipe = recipe_of(samples=16 * 2, shrink="never")
    work = train(
        [design_of(), design_of(RESNET, "res")], recipe=recipe, data=drawn(), device="cpu", folder=tmp_path / "a"
    )
    if moment == "stepped":
        next(work)
    hooked(register(refuse))
    found = convlab.finished(work)
    failed, other = found.trained
    assert failed.failure.startswith("out of memory: ")
    assert (other.name, other.failure, other.steps) == ("res", "", 2)
    assert found.ranking.unranked == {"small": failed.failure}
    assert not found.stopped
    again = convlab.finished(train(resume=tmp_path / "a", data=drawn(), device="cpu"))  # there may be more memory now
    assert [each.failure for each in again.trained] == ["", ""]


def test_an_error_that_is_none_of_memory_is_raised(tmp_path, hooked):
    def fail(*about):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    work = work_of(tmp_path)
    next(work)
    hooked(register_optimizer_step_pre_hook(fail))
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        next(work)


def test_a_resumed_training_takes_no_more_at_once_than_fits_now(tmp_path, monkeypatch):
    recipe = recipe_of(samples=16 * 4)
    trained_in(tmp_path, recipe=recipe, save_s=0.0)
    (tmp_path / "result.json").unlink()
    found = convlab.profile(design_of())
    room = 16 * found.params + 1.25 * (found.saved_bytes(5) + found.peak_bytes(5))
    monkeypatch.setattr("convlab.training.running.micro_batches.free_bytes", lambda device: int(room))
    resumed = trained_in(tmp_path, recipe=recipe, resume=True)
    assert resumed.micro_batch == 4
    assert "under other circumstances, so not bit for bit: micro-batch 16 is now 4" in resumed.notes[0]
    assert resumed.failure == ""
