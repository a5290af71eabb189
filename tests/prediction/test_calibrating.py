"""Calibrating: a device is measured within the seconds that are given, and what comes out predicts."""

import gc
from itertools import islice

import pytest

import convlab
from convlab.errors import ConvlabError
from convlab.language.files import load
from convlab.measurement.calibration import SCALES, calibrate
from convlab.measurement.calibration.calibrating import Scale
from convlab.measurement.calibration.ceilings import ceilings, optimizer
from convlab.measurement.calibration.corrections import table, whole
from convlab.measurement.calibration.kinds import KINDS
from convlab.measurement.calibration.networks import FORMS, networks
from convlab.measurement.calibration.probes import Limits, groups
from convlab.measurement.calibration.timing import seconds
from convlab.measurement.running.clocks import HostClock
from convlab.measurement.running.conditions import Conditions
from convlab.prediction import predictions
from convlab.prediction.calibration import calibration_of, text_of
from convlab.prediction.estimating import GROUPS
from convlab.presets import preset_names
from convlab.progress import finished

pytestmark = pytest.mark.usefixtures("thawed_at_the_end", "frozen")

TINY = Scale(2, Limits(2_000_000, 60_000, (1, 2)), Limits(2_000_000, 60_000, (2, 1)), 20_000_000)


def test_probes_cover_all_kinds_within_their_limits():
    for scale in SCALES.values():
        for limits in (scale.inference, scale.training):
            found = [probe for group in islice(groups(limits), 12) for probe in group]
            assert {probe.call.kind for probe in found} == set(KINDS)
            for probe in found:
                call, batch = probe.call, probe.batch
                assert call.macs * batch <= limits.macs
                assert max(call.input, call.output) * batch <= limits.elements


def test_a_group_has_one_batch():
    assert all(len({probe.batch for probe in group}) == 1 for group in islice(groups(TINY.inference), 20))


def test_networks_of_a_calibration_are_no_presets_and_fit():
    keys = {load(name).key for name in (*preset_names(), *preset_names("roadmap"))}
    found = list(islice(networks(10**9, 8, 4 * 10**9), 2 * len(FORMS)))
    assert {batch for _, batch in found} == {1, 8}
    assert not {design.key for design, _ in found} & keys
    assert all(convlab.profile(design).macs * batch <= (4 if batch > 1 else 1) * 10**9 for design, batch in found)
    assert all(any(design.name.startswith(name) for design, _ in found) for name, *_ in FORMS)


@pytest.mark.parametrize("task", ["inference", "training"])
@pytest.mark.parametrize("channels_last", [True, False])
def test_all_kinds_can_be_timed(task, channels_last):
    limits = TINY.inference
    probes = {probe.call.kind: probe for group in islice(groups(limits), 12) for probe in group}
    assert set(probes) == set(KINDS)
    conditions = Conditions(task=task, channels_last=channels_last, threads=1)
    timed = seconds(list(probes.values()), conditions, HostClock(), rounds=1)
    assert [each.probe for each in timed] == list(probes.values())
    assert all(each.seconds > 0 for each in timed)
    assert not any(each.issue for each in timed)


def test_bfloat16_can_be_timed():
    group = next(groups(TINY.inference))
    for task in ("inference", "training"):
        assert all(
            each.seconds > 0
            for each in seconds(group, Conditions(task=task, dtype="bfloat16", threads=1), HostClock(), 1)
        )


def test_ceilings_and_the_optimizer():
    conditions = Conditions(threads=1)
    found = ceilings(conditions, HostClock())
    assert found["macs_per_s"] > 1e8
    assert found["bytes_per_s"] > 1e8
    assert min(optimizer(conditions, HostClock())) >= 0


def test_corrections_mend_what_whole_networks_say(made):
    designs = [design for design, _ in islice(networks(10**8, 1, 10**8), 8)]
    laws = made.tables["inference"].laws
    profiles = [convlab.profile(design) for design in designs]
    slower = [whole(found, 1, 1.3 * predictions(found, made).latency.seconds) for found in profiles]
    found = table(laws, {}, slower, 4)
    assert set(found.factors) == set(GROUPS)
    assert found.error < 0.08
    assert found.factors["products"] > 1.1
    assert len(found.networks) == len(designs)
    assert all(each.predicted == pytest.approx(each.measured, rel=0.2) for each in found.networks)


def test_a_calibration_from_start_to_end():
    steps = []
    made = finished(calibrate(threads=1, budget_s=1.5, scale=TINY), steps.append)
    gc.collect()
    assert set(made.tables) == {"inference", "training"}
    assert calibration_of(text_of(made), "") == made
    assert [step.done for step in steps] == list(range(1, len(steps) + 1))
    assert {"inference", "training"} <= {step.what.split(",")[0] for step in steps}
    shown = predictions(convlab.profile(convlab.load("convnext_atto")), made)
    assert 1e-4 < shown.latency.seconds < 100
    assert shown.training.uncertainty > 0
    assert not made.default_threads
    assert made.threads == 1


def test_a_calibration_that_is_stopped_gives_none():
    work = calibrate(threads=1, budget_s=2, scale=TINY)
    next(work)
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    assert end.value.value is None


@pytest.mark.parametrize(
    "given", [{"budget_s": 0}, {"budget_s": float("nan")}, {"budget_s": 1e9}, {"device": "nowhere"}, {"dtype": "int8"}]
)
def test_what_cannot_be_calibrated(given):
    with pytest.raises(ConvlabError):
        calibrate(**given)
