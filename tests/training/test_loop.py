"""The loop: it learns, judges what it should, cuts batches where memory is short, and says what it did."""

import json
import math
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from small_trainings import RESNET, design_of, drawn, recipe_of, trained_in, work_of
from torch.utils._python_dispatch import TorchDispatchMode

from convlab import ConvlabError, turn
from convlab.models import build
from convlab.training.batches.batches import Batches
from convlab.training.keeping.checkpoints import read
from convlab.training.running import stepping
from convlab.training.running.arithmetic import autocast, scaler
from convlab.training.running.distributed import ALONE
from convlab.training.running.evaluation import evaluate
from convlab.training.running.initializing import pass_through, turned
from convlab.training.running.member import begun
from convlab.training.running.micro_batches import MicroBatches, first_size

PLAIN = autocast(recipe_of(), torch.device("cpu"))


def test_it_learns(tmp_path):
    design = turn(design_of(RESNET), "drop_path", 0.0)
    result = trained_in(tmp_path, design=design, recipe=recipe_of(samples=16 * 60, learning_rate=1e-2, evaluations=3))
    assert result.validation_accuracy > 0.9
    assert result.test_accuracy > 0.9
    assert [point.step for point in result.curve] == [20, 40, 60]
    assert [point.samples for point in result.curve] == [320, 640, 960]
    assert result.curve[-1].training_loss < 0.6 * result.curve[0].training_loss
    assert result.validation_loss == result.curve[-1].validation_loss
    assert result.checkpoint == tmp_path / "step-000060"
    assert result.failure == ""
    assert result.images_per_second > 0
    assert 0 < result.curve[0].seconds < result.seconds


def test_progress_has_words_and_figures(tmp_path):
    shown = list(work_of(tmp_path))
    assert [each.done for each in shown] == list(range(9))
    assert shown[0].figures == {"step": 0.0, "samples": 0.0}
    assert shown[0].what == "small, seed 0: step 0 of 8"
    assert {"learning_rate", "loss", "images_per_second", "validation_loss", "accuracy"} < set(shown[-1].figures)
    assert shown[-1].what.startswith("small, seed 0: step 8 of 8, loss 1.")
    assert shown[-1].remaining_s == 0.0


def test_keep_is_handed_what_there_is_at_every_evaluation_but_the_last(tmp_path):
    kept = []
    result = trained_in(tmp_path, recipe=recipe_of(evaluations=4), keep=kept.append)
    assert [len(each.curve) for each in kept] == [1, 2, 3]
    assert all(math.isnan(each.test_loss) for each in kept)
    assert kept[-1].curve == result.curve[:3]


def test_a_judged_network_is_the_average_where_there_is_one(tmp_path):
    data, recipe = drawn(), recipe_of(ema=0.8)
    result = trained_in(tmp_path, design=design_of(RESNET), data=data, recipe=recipe)
    kept, model = read(result.checkpoint).tensors, build(result.design)
    losses = {}
    for name in ("model", "average"):
        model.load_state_dict(kept[name])
        batches = Batches(data, recipe, seed=0).evaluation(data.test)
        losses[name] = evaluate(model, batches, cues={}, autocast=PLAIN).loss
    assert losses["average"] == result.test_loss
    assert losses["model"] != result.test_loss


def test_evaluation_is_the_mean_over_images_and_of_each_cue():
    data, model = drawn(), build(design_of(), seed=0)
    batches = Batches(data, recipe_of(batch=24), seed=0)
    (whole,) = batches.evaluation(data.validation, size=1000)
    found = evaluate(model, batches.evaluation(data.validation), cues=data.validation.cues, autocast=PLAIN)
    assert model.training
    model.eval()
    with torch.no_grad():
        scores = model(whole.images)
    hits = (scores.argmax(1) == whole.targets).double()
    assert found.loss == pytest.approx(float(F.cross_entropy(scores, whole.targets)), rel=1e-5)
    assert found.accuracy == float(hits.mean())
    assert found.cue_accuracy == {"first": float(hits[:16].mean())}


def gradients(size, targets_mixed, dtype="float32"):
    recipe = recipe_of(batch=16, mixup=0.8 * targets_mixed, label_smoothing=0.1, dtype=dtype)
    model = build(turn(turn(design_of(), "drop_path", 0.0), "head.dropout", 0.0), seed=0)
    micro = MicroBatches(model, model, size=size, recipe=recipe, group=ALONE)
    place = torch.device("cpu")
    options = {"seed": 1, "autocast": autocast(recipe, place), "scaler": scaler(recipe, place)}
    loss = micro.backward(Batches(drawn(), recipe, seed=0), 0, **options)
    return loss, {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("targets_mixed", [False, True])
def test_gradients_of_pieces_add_up_to_those_of_the_batch(targets_mixed):
    whole_loss, whole = gradients(16, targets_mixed)
    for size in (8, 5, 1):
        loss, found = gradients(size, targets_mixed)
        torch.testing.assert_close(loss, whole_loss)
        for name, gradient in found.items():
            torch.testing.assert_close(gradient, whole[name], rtol=1e-4, atol=1e-6, msg=name)


def test_what_counting_says_will_not_fit_is_not_tried(monkeypatch):
    """An image of a whole network's maps in a machine that is almost full, as ``free_bytes`` sees it."""
    from convlab import profile

    design = design_of()
    found = profile(design)
    place = torch.device("cpu")
    assert first_size(design, recipe_of(batch=64, accumulation=2), device=place, world=1) == 32
    room = 16 * found.params + 1.25 * (found.saved_bytes(9) + found.peak_bytes(9))
    monkeypatch.setattr("convlab.training.running.micro_batches.free_bytes", lambda device: int(room))
    assert first_size(design, recipe_of(batch=64), device=place, world=1) == 8
    assert first_size(design, recipe_of(batch=8), device=place, world=1) == 8, "what fits is left as it is"


class Waiting(TorchDispatchMode):
    """Counts the operations that wait for a device: those that make numbers of tensors."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.is_nonzero.default):
            self.waits.append(func)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_step_waits_for_the_device_only_where_its_losses_are_read(tmp_path, optimizer):
    recipe = recipe_of(optimizer=optimizer, ema=0.9, clip_norm=1.0, crop="pad", dtype="bfloat16")
    member = begun(design_of(), drawn(), recipe, seed=0, folder=tmp_path, group=ALONE, resume=False, weights=None)
    stepping.step(member, reads=True)
    with Waiting() as mode:
        for _ in range(3):
            stepping.step(member, reads=False)
    assert mode.waits == []
    losses = member.watch.read(4)
    assert len(losses) == 3
    with Waiting() as mode:
        float(torch.ones(()).add(1))
    assert mode.waits != []


def test_the_network_begins_as_the_recipe_says():
    design = turned(design_of(), recipe_of(drop_path=0.0, layer_scale=0.3))
    assert design.drop_path == 0
    assert design.key == design_of().key
    model, plain = build(design, seed=0), build(design, seed=0)
    assert float(model.get_parameter("stages.0.blocks.0.gamma").detach().mean()) == pytest.approx(0.3)
    pass_through(model)
    added = model.get_parameter("stages.0.blocks.0.conv_dw.weight") - plain.get_parameter(
        "stages.0.blocks.0.conv_dw.weight"
    )
    expected = torch.zeros_like(added)
    expected[:, :, 1, 1] = 1
    torch.testing.assert_close(added, expected)
    assert torch.equal(model.get_parameter("stem.0.weight"), plain.get_parameter("stem.0.weight"))
    assert turned(design_of(RESNET), recipe_of(layer_scale=0.3)).stages == design_of(RESNET).stages


def test_a_design_that_does_not_fit_the_data_is_refused(tmp_path):
    with pytest.raises(ConvlabError, match=r'head\.classes is 7, and "drawn" has 4 classes'):
        trained_in(tmp_path, design=turn(design_of(), "head.classes", 7))
    with pytest.raises(ConvlabError, match=r'image\.channels is 3, and "drawn" has 1 channels'):
        trained_in(tmp_path, design=turn(design_of(), "image.channels", 3))
    assert list(tmp_path.iterdir()) == []


REFUSED = """
    import json, resource, sys, tempfile
    import torch
    sys.path.insert(0, sys.argv[1])
    from small_trainings import RESNET, design_of, drawn, recipe_of, trained_in
    from convlab import turn

    torch.set_num_threads(1)
    design = turn(turn(design_of(RESNET), "widths", [128]), "drop_path", 0.0)
    recipe = recipe_of(batch=512, samples=1024, evaluations=1)
    data = drawn(512)
    trained_in(tempfile.mkdtemp(), design=design, data=data, recipe=recipe_of(batch=16, samples=32, evaluations=1))
    lines = open("/proc/self/status").read().splitlines()
    used = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmSize"))
    resource.setrlimit(resource.RLIMIT_AS, (used + 24 * 2**20, resource.RLIM_INFINITY))
    result = trained_in(tempfile.mkdtemp(), design=design, data=data, recipe=recipe)
    print(json.dumps([result.micro_batch, result.steps, result.notes, result.failure]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited by Linux")
def test_where_memory_is_refused_the_batch_is_cut_and_stays_the_same():
    """512 images, each with 150 kB of maps, in 24 MiB: real refusals of the allocator, in a process of its own."""
    arguments = [sys.executable, "-c", textwrap.dedent(REFUSED), str(Path(__file__).parent)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    micro_batch, steps, notes, failure = json.loads(done.stdout)
    assert failure == ""
    assert steps == 2
    assert micro_batch in (32, 64, 128, 256)
    (note,) = notes
    assert note == (
        f"the memory does not hold 512 images at once: micro-batches of {micro_batch}, gradients of the whole batch as before; "
        f"batch norms saw {micro_batch} images at a time"
    )
