"""The environment: what is said of the machine, and of what disturbed a measurement on it."""

import dataclasses
import json
import os
import subprocess
import sys
import time

import psutil
import pytest
import torch

from convlab.measurement.machine.disturbances import disturbances
from convlab.measurement.machine.environment import environment
from convlab.measurement.machine.moments import Gpu
from convlab.measurement.machine.nvml import gpu_handle


@pytest.fixture(scope="module")
def here():
    return environment("cpu")


def later(before, seconds=10.0, **changes):
    """The environment after so many seconds in which nothing happened but the changes of the moment."""
    moment = dataclasses.replace(before.moment, elapsed_s=before.moment.elapsed_s + seconds, **changes)
    return dataclasses.replace(before, moment=moment)


def on_gpu(before, **state):
    """An environment with an NVIDIA GPU, in a state."""
    rest = dict.fromkeys((field.name for field in dataclasses.fields(Gpu)), None) | {"slowed_by": ()}
    device = dataclasses.replace(before.device, kind="cuda")
    moment = dataclasses.replace(before.moment, gpu=Gpu(**(rest | state)))
    return dataclasses.replace(before, device=device, moment=moment)


@pytest.fixture
def calm(here):
    """This machine, with nothing that is told of it: as many threads as processors, no quota, no battery."""
    host = dataclasses.replace(here.host, cpus=4, quota=None, governor="performance")
    software = dataclasses.replace(here.software, threads=4, variables={})
    moment = dataclasses.replace(
        here.moment, cpus=4, cpu_clock_mhz=3000.0, on_battery=None, held_back_s=0.0, heat_events=0
    )
    return dataclasses.replace(here, host=host, software=software, moment=moment)


def test_it_says_what_runs_here(here):
    assert here.device.name
    assert here.device.kind == "cpu"
    assert here.host.memory_bytes == psutil.virtual_memory().total
    assert 1 <= here.host.cpus <= os.cpu_count()
    assert here.software.packages["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert here.software.packages["convlab"]
    assert here.software.threads == torch.get_num_threads()
    assert here.host.instructions[0] == torch.backends.cpu.get_cpu_capability()
    assert here.moment.gpu is None


def test_it_is_json(here):
    plain = json.loads(json.dumps(here.to_json()))
    assert plain["digest"] == here.digest
    assert plain["host"]["cpu"] == here.host.cpu
    assert "moment" not in here.lasting()


def test_the_digest_is_that_of_what_lasts(here):
    again = environment("cpu")
    assert again.moment != here.moment
    assert again.digest == here.digest
    assert again == here
    other = dataclasses.replace(here, software=dataclasses.replace(here.software, threads=77))
    assert other.digest != here.digest


def test_the_digest_is_the_same_in_another_process(here):
    code = "import torch; torch.set_num_threads(1); from convlab.measurement.machine.environment import environment; "
    code += "print(environment('cpu').digest)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == here.digest


def test_nvml_has_no_handle_of_the_cpu():
    with gpu_handle(torch.device("cpu")) as handle:
        assert handle is None


def test_a_calm_machine_disturbs_nothing(calm):
    assert disturbances(calm, later(calm, own_s=calm.moment.own_s + 30, busy_s=calm.moment.busy_s + 31)) == ()


def test_two_looks_at_once_say_nothing_of_shares(calm):
    assert disturbances(calm, later(calm, 0.001, busy_s=calm.moment.busy_s + 1)) == ()


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        ({"busy_s": 12.0}, "other processes kept 1.2 of 4 CPUs busy"),
        ({"stolen_s": 4.0}, "the hypervisor gave 10 % of the CPU time to other machines"),
        ({"held_back_s": 2.5}, "a quota of CPU time held this process back for 2.5 of 10.0 s"),
        ({"heat_events": 3}, "the CPU was too hot: it slowed its cores down 3 times"),
        ({"cpu_clock_mhz": -1000.0}, "the CPU's clock fell from 3000 to 2000 MHz"),
    ],
)
def test_what_happened_meanwhile_is_told(calm, happened, told):
    changes = {name: getattr(calm.moment, name) + amount for name, amount in happened.items()}
    assert disturbances(calm, later(calm, **changes)) == (told,)


def test_work_of_this_process_is_no_disturbance():
    """What others do at the same time may be told, but not what we do ourselves."""
    before = environment("cpu")
    began = time.process_time()
    while time.process_time() - began < 0.3:
        sum(range(1000))
    after = environment("cpu")
    assert after.moment.own_s - before.moment.own_s == pytest.approx(0.3, abs=0.1)


def test_work_of_a_child_is_seen_and_is_our_own():
    before = environment("cpu").moment
    busy = "import time\nwhile time.process_time() < 0.4: pass"
    subprocess.run([sys.executable, "-c", busy], check=True)
    after = environment("cpu").moment
    assert after.busy_s - before.busy_s > 0.3
    assert after.own_s - before.own_s > 0.3


@pytest.mark.parametrize(
    ("where", "changes", "told"),
    [
        ("host", {"cpus": 2}, "4 threads share 2 CPUs: they wait for each other"),
        ("host", {"quota": 1.5}, "4 threads share 1.5 CPUs: they wait for each other"),
        ("host", {"governor": "powersave"}, "the CPU's governor is powersave, which may hold its clocks down"),
        ("moment", {"on_battery": True}, "the machine runs on battery, which may hold its clocks down"),
        (
            "software",
            {"variables": {"CUDA_LAUNCH_BLOCKING": "1"}},
            "CUDA_LAUNCH_BLOCKING is set: the host waits for every kernel",
        ),
    ],
)
def test_settings_that_hold_figures_down_are_told(calm, where, changes, told):
    there = dataclasses.replace(calm, **{where: dataclasses.replace(getattr(calm, where), **changes)})
    assert disturbances(there, later(there)) == (told,)


def test_more_threads_than_processors_are_told_whoever_asked_for_them(calm):
    assert disturbances(calm, later(calm), threads=4) == ()
    assert disturbances(calm, later(calm), threads=6) == ("6 threads share 4 CPUs: they wait for each other",)


def test_another_environment_afterwards_is_told(calm):
    other = dataclasses.replace(calm, software=dataclasses.replace(calm.software, interop_threads=99))
    assert "changed meanwhile" in disturbances(calm, later(other))[0]


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        ({}, {}, ()),
        ({}, {"other_processes": 2, "other_bytes": 2**30}, ("2 other processes used the GPU, with 1 GiB of its memory",)),
        ({"other_processes": 1}, {"other_processes": 0}, ("1 other process used the GPU",)),
        ({"power_limited_s": 1.0}, {"power_limited_s": 6.0}, ("the power limit held the GPU back for 5.0 of 10.0 s",)),
        ({"heat_limited_s": 1.0}, {"heat_limited_s": 1.5}, ("heat held the GPU back for 0.5 of 10.0 s",)),
        ({"power_limited_s": 1.0}, {"power_limited_s": 1.0, "slowed_by": ("the power limit",)}, ()),
        ({}, {"slowed_by": ("the power limit",), "temperature_c": 83}, ("the GPU was held back by the power limit at 83 °C",)),
        ({"clock_mhz": 1980}, {"clock_mhz": 1200}, ("the GPU's clock fell from 1980 to 1200 MHz",)),
        ({"clock_mhz": 345}, {"clock_mhz": 1980}, ()),
    ],
)  # fmt: skip
def test_a_gpu_that_was_shared_hot_or_slowed_is_told(calm, first, last, told):
    before = on_gpu(calm, **first)
    after = later(on_gpu(calm, **last))
    found = tuple(sentence.replace("1.000 GiB", "1 GiB") for sentence in disturbances(before, after))
    assert found == told


def test_a_gpu_of_which_nothing_is_known_is_told(calm):
    blind = dataclasses.replace(calm, device=dataclasses.replace(calm.device, kind="cuda"))
    assert "NVML is missing" in disturbances(blind, later(blind))[0]
