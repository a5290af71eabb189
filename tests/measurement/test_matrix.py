"""The matrix: all settings that a device can have, and rank flips only where ratios of the same rounds are sure."""

import pytest
import torch

from convlab.errors import ConvlabError
from convlab.layers import Shape
from convlab.measurement.benchmarking import Benchmark
from convlab.measurement.machine.environment import environment
from convlab.measurement.matrix import Matrix, difference, matrix, settings_of
from convlab.measurement.rounds import Protocol, Samples
from convlab.measurement.rows import failed, measured
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.running.subjects import module_subject, subject
from convlab.progress import finished
from convlab.views.matrices import matrix_notes, matrix_table, measured_matrix, plain_matrix, rank_flips

TINY = subject("convnext_atto", image=(32, 32))
SHORT = Protocol(seconds=0.1, least_rounds=3, most_rounds=3, sample_s=0.001, window=1, warm_up_s=0.1)
HERE = environment("cpu")
BASE = checked(Conditions(threads=1))


def named(name):
    return module_subject(lambda: torch.nn.Identity(), name=name, image=Shape(3, 4, 4))


def row(name, seconds, conditions, spread=0.01):
    """A row of known times: eight that wander by the spread."""
    values = [(seconds * (1 + spread * (index % 3 - 1)),) for index in range(8)]
    return measured(named(name), conditions, Samples(("forward",), values=values), counts=(1, 1), compile_s=0.0)


def setting(times, spread=0.01, **conditions):
    asked = checked(Conditions(threads=1, **conditions))
    return Benchmark(tuple(row(name, seconds, asked, spread) for name, seconds in times.items()), asked, HERE)


def test_settings_leave_out_what_a_cpu_cannot_do():
    found, left_out = settings_of(BASE)
    assert len(found) == 3 * 3 * 2
    assert {each.dtype for each in found} == {"float32", "bfloat16", "float16"}
    assert not any(each.cuda_graphs for each in found)
    assert {each.why: each.settings for each in left_out} == {
        "CUDA graphs need an NVIDIA GPU": 18,
        "tf32 is a format of NVIDIA GPUs": 12,
    }


def test_axes_that_are_told_are_held():
    found, left_out = settings_of(BASE, ("dtype", "mode", "cuda_graphs"))
    assert [each.channels_last for each in found] == [False, True]
    assert left_out == ()
    assert difference(*found) == ("channels_last",)


def test_no_setting_at_all_is_an_error():
    with pytest.raises(ConvlabError, match="tf32 is a format of NVIDIA GPUs"):
        settings_of(Conditions(dtype="tf32", threads=1), ("dtype", "cuda_graphs"))


def test_a_flip_is_told_with_the_settings_that_differ_least():
    found = Matrix(
        (
            setting({"a": 1.0, "b": 1.14}, channels_last=False),
            setting({"a": 1.0, "b": 0.95}, channels_last=True),
            setting({"a": 1.0, "b": 0.5}, channels_last=True, dtype="bfloat16"),
        ),
        (),
        3,
    )
    (flip,) = found.flips
    assert (flip.faster, flip.slower, flip.example) == ((0,), (1, 2), (0, 1))
    (sentence,) = rank_flips(found)
    assert sentence == (
        "a is faster than b with contiguous maps (1.14x), slower with channels-last maps (0.95x) (float32); "
        "surely faster in 1 of 3 settings, surely slower in 2."
    )
    assert plain_matrix(found)["flips"][0]["sentence"] == sentence


def test_what_slows_both_down_in_the_same_rounds_does_not_hide_a_flip():
    found = Matrix(
        (
            setting({"a": 1.0, "b": 1.14}, channels_last=False),
            setting({"a": 1.0, "b": 0.95}, spread=0.2, channels_last=True),
        ),
        (),
        2,
    )
    assert [(flip.faster, flip.slower) for flip in found.flips] == [((0,), (1,))]


def test_ratios_that_leave_it_open_are_no_flip():
    asked = checked(Conditions(threads=1, channels_last=True))
    uneven = Benchmark((row("a", 1.0, asked), row("b", 0.95, asked, spread=0.2)), asked, HERE)
    found = Matrix((setting({"a": 1.0, "b": 1.14}, channels_last=False), uneven), (), 2)
    assert found.flips == ()
    assert found.undecided == 1
    assert [sentence.split(":")[0] for sentence in rank_flips(found)] == [
        "No two networks surely change their order between these settings.",
        "The medians of one more pair change their order, but not surely",
    ]


def test_one_network_has_no_order():
    assert rank_flips(Matrix((setting({"a": 1.0}), setting({"a": 2.0}, channels_last=False)), (), 2)) == []


def test_a_cell_without_figures_says_why():
    asked = checked(Conditions(threads=1, dtype="bfloat16"))
    hole = Benchmark((failed(named("a"), asked, "out of memory", counts=(1, 1), largest_batch=3),), asked, HERE)
    found = Matrix((setting({"a": 1.0}), hole), (), 2)
    cells = [row[1].text for row in matrix_table(found).rows]
    assert cells[0].startswith("1.000 ±")
    assert cells[1] == "-"
    (note,) = matrix_notes(found)
    assert "a, batch 1: out of memory" in note.message
    assert "bfloat16" in note.message
    assert "--batch 3" in note.help


def test_a_matrix_is_measured():
    kept = []
    found = finished(matrix([TINY], conditions=BASE, protocol=SHORT, fixed=("dtype", "mode"), keep=kept.append))
    assert [each.conditions.layout for each in found.settings] == ["contiguous", "channels_last"]
    assert (found.planned, found.stopped) == (2, False)
    assert all(each.rows[0].step is not None for each in found.settings)
    assert kept[-1] == found.settings[-1]
    facts = dict(measured_matrix(found))
    assert facts["all settings"] == "inference, float32, eager, no CUDA graphs, batch 1, images of 32x32 px"
    assert facts["left out"] == "2 settings: CUDA graphs need an NVIDIA GPU"
    assert [cells[0].text for cells in matrix_table(found).rows] == ["contiguous maps", "channels-last maps"]


@pytest.mark.parametrize("where", ["setting 1", "setting 2"])
def test_stopping_keeps_the_settings_so_far(where):
    work = matrix([TINY], conditions=BASE, protocol=SHORT, fixed=("dtype", "mode", "cuda_graphs"))
    for step in work:
        if step.what.startswith(f"{where} of 2: inference"):
            break
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    found = end.value.value
    assert found.stopped
    assert len(found.settings) == int(where[-1])
    assert len(found.settings[-1].rows[0].samples) == 1
    if where == "setting 2":
        assert len(found.settings[0].rows[0].samples) == 3
