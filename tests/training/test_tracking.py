"""Trackers see what a training tells, and can neither stop it nor change its result."""

import sys
import time

import pytest
from small_trainings import RECIPE, design_of, drawn

from convlab.errors import ConvlabError
from convlab.progress import Progress, finished
from convlab.training.comparing import train
from convlab.training.tracking import TRACKERS, TrackedTraining, Tracker, followed, refuse_missing_trackers

STEPS = (10, 20, 30)


def work(stopped_after=None):
    """Three steps with figures, between one that has none and one that judges; ends with what was counted."""
    told = 0
    try:
        yield Progress(0, 30, "building", 0.0)
        for step in STEPS:
            yield Progress(
                step, 30, f"step {step}", 1.0, figures={"step": step, "loss": 1 / step, "images_per_second": 99.0}
            )
            told += 1
        yield Progress(30, 30, "judging", 2.0, figures={"step": 30, "validation_loss": 0.25})
    except KeyboardInterrupt:
        return f"stopped after {told}"
    return f"finished after {told}"


@pytest.fixture
def member(tmp_path):
    return TrackedTraining("tiny-seed0", tmp_path / "training", {"optimizer": "adamw", "batch": 32})


def test_what_passes_by_is_the_same_with_and_without_trackers(member):
    plain, seen = [], []
    assert finished(work(), plain.append) == "finished after 3"
    assert finished(followed(work(), [], member), seen.append).result == "finished after 3"
    assert seen == plain


def test_an_interrupt_reaches_the_work_which_keeps_what_it_has(member):
    steps = followed(work(), [], member)
    next(steps)
    next(steps)
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.throw(KeyboardInterrupt)
    assert end.value.value.result == "stopped after 1"


def test_work_is_closed_with_its_follower(member):
    closed = []

    def endless():
        try:
            while True:
                yield Progress(0, None, "", 0.0)
        finally:
            closed.append(True)

    steps = followed(endless(), [], member)
    next(steps)
    steps.close()
    assert closed == [True]


def test_a_tracker_that_cannot_be_opened_is_one_note(member):
    pytest.importorskip("tensorboard")
    member.folder.write_text("a file stands where the folder should be")
    seen = []
    found = finished(followed(work(), ["tensorboard"], member), seen.append)
    assert found.result == "finished after 3"
    assert len(seen) == 5
    (note,) = found.notes
    assert note.startswith("tensorboard failed and follows the training no more: ")


def test_a_tracker_that_fails_in_the_midst_is_one_note(member):
    pytest.importorskip("tensorboard")

    def with_a_wrong_figure():
        yield Progress(1, 3, "", 0.0, figures={"loss": 1.0})
        yield Progress(2, 3, "", 0.0, figures={"loss": "no number"})
        yield Progress(3, 3, "", 0.0, figures={"loss": "no number either"})
        return "finished"

    found = finished(followed(with_a_wrong_figure(), ["tensorboard"], member))
    assert found.result == "finished"
    assert len(found.notes) == 1


def test_what_is_known_at_the_end_alone_is_logged_too(member, monkeypatch):
    logged = []
    kept = Tracker(lambda step, figures: logged.append((step, dict(figures))), lambda: None)
    monkeypatch.setitem(TRACKERS, "list", lambda training, step: kept)
    finished(followed(work(), ["list"], member, last=lambda _: {"step": 30.0, "test_accuracy": 0.5}))
    assert logged[-2:] == [(30, {"validation_loss": 0.25}), (30, {"test_accuracy": 0.5})]


def test_event_files(member):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert finished(followed(work(), ["tensorboard"], member)).notes == ()
    events = EventAccumulator(str(member.folder / "tensorboard" / "tiny-seed0")).Reload()
    assert set(events.Tags()["scalars"]) == {"loss", "images_per_second", "validation_loss"}
    assert [event.step for event in events.Scalars("loss")] == list(STEPS)
    assert [event.value for event in events.Scalars("loss")] == pytest.approx([1 / step for step in STEPS])
    assert events.Scalars("validation_loss")[0].step == 30
    (settings,) = events.Tensors("settings/text_summary")
    assert b"| optimizer | adamw |" in settings.tensor_proto.string_val[0]


def test_a_resumed_training_goes_on_under_its_own_curve(member):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def steps(first, last, loss):
        for step in range(first, last):
            yield Progress(step, 9, "", 0.0, figures={"step": step, "loss": loss + step, "validation_loss": loss})

    finished(followed(steps(1, 7, 1.0), ["tensorboard"], member))
    finished(followed(steps(4, 9, 2.0), ["tensorboard"], member))  # killed at 6, resumed from a checkpoint at 3
    events = EventAccumulator(str(member.folder / "tensorboard" / "tiny-seed0")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [
        *((step, 1.0 + step) for step in range(1, 4)),
        *((step, 2.0 + step) for step in range(4, 9)),
    ]
    # Every step says the last validation loss again; it is logged when there is another one.
    assert [(event.step, event.value) for event in events.Scalars("validation_loss")] == [(1, 1.0), (4, 2.0)]


@pytest.mark.slow
def test_a_comparison_is_tracked_training_by_training(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    options = {"data": drawn(), "recipe": RECIPE, "device": "cpu", "folder": tmp_path / "job"}
    found = finished(train([design_of()], seeds=2, track=["tensorboard"], **options))
    assert all(not note.startswith("tensorboard") for each in found.trained for note in each.notes)
    folders = sorted((tmp_path / "job" / "tensorboard").iterdir())
    assert [folder.name.rpartition("-")[2] for folder in folders] == ["seed0", "seed1"]
    for folder, each in zip(folders, found.trained, strict=True):
        events = EventAccumulator(str(folder)).Reload()
        assert events.Scalars("validation_loss")[-1].value == pytest.approx(each.validation_loss)
        assert events.Scalars("samples")[-1].value == each.steps * RECIPE.batch


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_wandb_offline(member, monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path))
    pytest.importorskip("wandb")
    member.folder.mkdir()
    assert finished(followed(work(), ["wandb"], member)).notes == ()
    (run,) = (member.folder / "wandb").glob(f"offline-run-*-{member.id}")
    (log,) = run.glob("*.wandb")
    deadline = time.monotonic() + 30  # wandb's own process writes a little later
    while b"validation_loss" not in (content := log.read_bytes()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert b"validation_loss" in content
    assert b"tiny-seed0" in content


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_trackio(member, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))  # read when trackio is imported
    trackio = pytest.importorskip("trackio")
    assert finished(followed(work(), ["trackio"], member)).notes == ()
    assert capsys.readouterr().out == ""
    (run,) = trackio.Api().runs("convlab")
    assert run.name.startswith("tiny-seed0-")
    assert run.config["optimizer"] == "adamw"
    kept = b"".join(path.read_bytes() for path in (tmp_path / "trackio").glob("convlab.db*"))
    assert b"validation_loss" in kept


def test_trackers_are_known_before_anything_is_begun():
    with pytest.raises(ConvlabError) as error:
        refuse_missing_trackers(["tensorbord"])
    assert 'did you mean "tensorboard"?' in str(error.value)
    assert error.value.exit_code == 2


@pytest.mark.parametrize("name", TRACKERS)
def test_a_package_that_is_not_there_is_told_with_what_installs_it(name, monkeypatch):
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ConvlabError) as error:
        refuse_missing_trackers([name])
    assert f"pip install {name}" in str(error.value)
