"""Energy: counters that are read, run over, stand still or are missing."""

import sys

import pytest
import torch

from convlab.layers import Shape
from convlab.measurement.energy import Energy, PackageCounters, energy, meter_of
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.running.subjects import module_subject
from convlab.measurement.running.workloads import workload
from convlab.measurement.unmeasured import Unmeasured


def counter(folder, name, microjoules, most=1000):
    """A counter as Linux lays it out."""
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return folder


def test_the_packages_are_summed_and_nothing_twice(tmp_path):
    first = counter(tmp_path / "intel-rapl:0", "package-0", 100)
    counter(tmp_path / "intel-rapl:0:0", "core", 50)
    second = counter(tmp_path / "intel-rapl:1", "package-1", 900)
    counter(tmp_path / "intel-rapl:2", "psys", 5)
    counter(tmp_path / "intel-rapl-mmio:0", "package-0", 100)
    with meter_of("cpu", tmp_path) as meter:
        assert isinstance(meter, PackageCounters)
        assert meter.joules() == 0
        (first / "energy_uj").write_text("300")
        assert meter.joules() == pytest.approx(200e-6)
        (second / "energy_uj").write_text("50")  # it has run over its range
        assert meter.joules() == pytest.approx(350e-6)


def test_without_counters_the_reason_stands_in_the_place(tmp_path):
    with meter_of("cpu", tmp_path) as meter:
        assert meter == Unmeasured(f"no energy for the CPU: there is no RAPL counter under {tmp_path}")


def test_a_counter_that_says_nothing_is_none(tmp_path):
    counter(tmp_path / "intel-rapl:0", "package-0", "?")
    with meter_of("cpu", tmp_path) as meter:
        assert "nobody can read" in meter.why


@pytest.mark.skipif(sys.platform != "linux", reason="the files are Linux's")
def test_energy_here_is_a_figure_or_a_reason():
    given = module_subject(
        lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 2)), name="linear", image=Shape(3, 4, 4)
    )
    found = energy(workload(given, checked(Conditions(threads=1, batch=4))), seconds=0.2)
    if isinstance(found, Energy):
        assert found.joules_per_image > 0
        assert found.watts == pytest.approx(found.joules_per_image * 4 * found.steps / found.seconds)
    else:
        assert found.why
