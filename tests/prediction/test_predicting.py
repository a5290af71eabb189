"""Predictions: latency, throughput and step of designs, what they say of themselves, and when there are none."""

import dataclasses
import os
import subprocess
import sys

import pytest
import synthetic

import convlab
from convlab.errors import ConvlabError
from convlab.prediction import predict, predictions, put
from convlab.prediction.calls import calls_of
from convlab.prediction.machine import THREAD_VARIABLES, torch_threads


def profile(name, *sets):
    return convlab.profile(convlab.load(name, sets=sets))


def true_seconds(found, batch):
    calls = [call for part in found.parts for call in calls_of(part.part.tree, part.input)]
    return sum(call.times * synthetic.true_seconds(call, batch) for call in calls)


def test_latency_throughput_and_step(made):
    found = profile("convnext_atto")
    shown = predictions(found, made)
    assert shown.latency.seconds == pytest.approx(true_seconds(found, 1), rel=0.03)
    assert shown.inference.images_per_second == pytest.approx(8 / true_seconds(found, 8), rel=0.03)
    update = 1e-5 + 1e-6 * 2 * 66 + 1e-9 * found.params  # 66 layers of atto have parameters
    assert shown.training.seconds == pytest.approx(true_seconds(found, 8) + update, rel=0.03)


def test_a_folded_design_is_not_trained(made):
    design = convlab.load("resnet18")
    folded = predictions(convlab.profile(design, folded=True), made)
    assert folded.training is None
    assert folded.latency.seconds < predictions(convlab.profile(design), made).latency.seconds


def test_time_rises_with_batch_image_and_depth(made):
    design = convlab.load("convnext_atto")
    for one, other in (
        (predict(design, batch=4, calibration=made), predict(design, batch=5, calibration=made)),
        (predict(design, image=192, calibration=made), predict(design, image=256, calibration=made)),
        (predict(design, calibration=made), predict(convlab.turn(design, "stages.2.depth", 9), calibration=made)),
    ):
        assert 0 < one.inference.seconds < other.inference.seconds
        assert 0 < one.training.seconds < other.training.seconds


def test_beyond_what_was_measured_is_told_and_less_certain(made):
    within = predictions(profile("convnext_atto"), made)
    beyond = predictions(profile("convnext_atto", "image.size=3000"), made)
    assert within.latency.beyond < 0.05
    assert beyond.inference.beyond > 0.5
    assert beyond.inference.uncertainty > 2 * within.inference.uncertainty
    assert "beyond what was calibrated" in beyond.origin(beyond.inference)
    assert "beyond" not in within.origin(within.latency)


def test_a_kind_that_was_not_measured_is_beyond_too(made):
    table = made.tables["inference"]
    fewer = {kind: law for kind, law in table.laws.items() if kind != "gelu"}
    partial = dataclasses.replace(made, tables={"inference": dataclasses.replace(table, laws=fewer)})
    whole, part = (predictions(profile("convnext_atto"), each) for each in (made, partial))
    assert part.latency.beyond > whole.latency.beyond
    assert part.latency.uncertainty > whole.latency.uncertainty
    assert part.training is None


def test_the_slower_of_host_and_gpu_decides(made):
    table = made.tables["inference"]
    issue = dict.fromkeys(table.laws, 1.0)
    slow = dataclasses.replace(made, tables={"inference": dataclasses.replace(table, issue=issue, issue_factor=0.5)})
    found = profile("convnext_atto")
    calls = sum(call.times for part in found.parts for call in calls_of(part.part.tree, part.input))
    assert predictions(found, slow).latency.seconds == pytest.approx(0.5 * calls)


def test_a_prediction_says_what_it_is(made):
    shown = predictions(profile("convnext_atto"), made)
    text = shown.origin(shown.latency)
    assert text.startswith("predicted ±")
    for word in (
        "calibrated 2026-11-22",
        made.machine.name,
        "2 threads",
        f"torch {made.machine.torch}",
        "float32",
        "channels-last",
    ):
        assert word in text


def test_without_a_calibration_there_is_an_error_with_the_way_out(home):
    with pytest.raises(ConvlabError, match="no calibration to predict from") as caught:
        predict(convlab.load("convnext_atto"))
    assert caught.value.problems[0].help.startswith("convlab calibrate")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"torch": "1.0"}, "torch 1.0"),
        ({"name": "Another processor"}, "another device (Another processor)"),
    ],
)
def test_a_calibration_of_something_else_is_not_used_silently(home, made, change, told):
    put(dataclasses.replace(made, machine=dataclasses.replace(made.machine, **change)))
    with pytest.raises(ConvlabError) as caught:
        predict(convlab.load("convnext_atto"))
    assert told in caught.value.problems[0].message


def test_threads_that_were_asked_for(home, made):
    put(dataclasses.replace(made, threads=77, default_threads=False))
    design = convlab.load("convnext_atto")
    assert predict(design, threads=77).calibration.threads == 77
    with pytest.raises(ConvlabError, match=r"of 77 threads, torch takes .* here; threads=77"):
        predict(design)
    with pytest.raises(ConvlabError, match="of 77 threads, not 3"):
        predict(design, threads=3)


def test_of_two_calibrations_the_one_with_as_many_threads_as_torch_takes(home, made):
    elsewhere = dataclasses.replace(made.machine, cpus=4096)
    for threads in (torch_threads(), 77):
        put(dataclasses.replace(made, threads=threads, machine=elsewhere))
    assert predict(convlab.load("convnext_atto")).calibration.threads == torch_threads()


TAKEN = {
    "the library": """
import ctypes, importlib.util, pathlib
torch = pathlib.Path(importlib.util.find_spec("torch").origin).parent
take = ctypes.CDLL(torch / "lib" / "libtorch_cpu.so")["_ZN2at15get_num_threadsEv"]
take.restype = ctypes.c_int
""",
    "the package": "from torch import get_num_threads as take; assert take() == torch_threads()",
}
"""Who says how many threads torch takes: what its package asks too, at a tenth of the time, and the package."""


@pytest.mark.parametrize(
    "who",
    [
        pytest.param("the library", marks=pytest.mark.skipif(sys.platform != "linux", reason="its name on Linux")),
        pytest.param("the package", marks=pytest.mark.slow),
    ],
)
def test_the_number_of_threads_is_told_as_torch_takes_it(who):
    """In processes of their own, before torch is imported."""
    tell = "from convlab.prediction.machine import torch_threads\ntold = torch_threads()\n"
    for variables in ({}, {"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "2"}):
        bare = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
        command = [sys.executable, "-c", f"{tell}{TAKEN[who]}\nprint(told, take())"]
        ran = subprocess.run(command, env=bare | variables, capture_output=True, check=True)
        told, taken = ran.stdout.split()
        assert told == taken, variables


def test_what_is_too_uncertain_says_so(home, made):
    assert not predict(convlab.load("convnext_atto"), calibration=made).latency.too_uncertain
    tables = {task: dataclasses.replace(table, stretch=1000.0) for task, table in made.tables.items()}
    poor = dataclasses.replace(made, tables=tables)
    assert predict(convlab.load("convnext_atto"), calibration=poor).latency.too_uncertain


def test_number_format_and_layout_have_calibrations_of_their_own(home, made):
    put(made)
    design = convlab.load("convnext_atto")
    assert predict(design).calibration.dtype == "float32"
    for other in ({"dtype": "bfloat16"}, {"channels_last": False}, {"device": "cuda"}):
        with pytest.raises(ConvlabError, match="no calibration"):
            predict(design, **other)


def test_a_batch_of_none(made):
    with pytest.raises(ConvlabError, match="at least one image"):
        predict(convlab.load("convnext_atto"), batch=0, calibration=made)


def test_predicting_imports_neither_torch_nor_numpy(home, made):
    put(made)
    code = (
        "import sys, convlab; p = convlab.predict(convlab.load('convnext_t')); assert p.latency.seconds > 0; "
        "assert not {'torch', 'numpy', 'sqlalchemy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
