"""How fast costs and models come: a design cold, with one knob turned and in bulk beside fvcore, torchinfo and FlopCounterMode;
the whole process beside `import torch`; building beside timm. Run: python benchmarks/costs.py [--rounds N]"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from interleaved import Times, interleaved, ratio, shown, summary, surroundings, write

import convlab
from convlab import costs
from convlab.language import design
from convlab.spaces import populations
from convlab.spaces.reading import load_space

PRESET, TIMM = "convnext_t", "convnext_tiny"
THREADS = os.cpu_count() or 1
PACKAGES = ("convlab", "torch", "timm", "fvcore", "torchinfo", "numpy")


def forget() -> None:
    """Empty the caches of lowering and costing."""
    for module in (design, costs):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def everything(profile: costs.Profile) -> None:
    """Read every figure that a profile has."""
    assert profile.macs > 0
    assert profile.receptive_field is not None
    assert profile.peak_elements > 0


def static_candidates() -> dict[str, Callable[[], Any]]:
    """Costs of ConvNeXt-T at 224 px by convlab; every turn of a knob gives a design that was never costed before."""
    base = convlab.load(PRESET)
    turns = itertools.count(1)

    def turned(path: str) -> Callable[[], Any]:
        return lambda: convlab.profile(convlab.turn(base, path, 2 + next(turns) / 10_000))

    def cold() -> None:
        forget()
        everything(convlab.profile(base))

    return {
        "cold, everything": cold,
        "one knob of one stage": turned("stages.2.block.expansion_ratio"),
        "one knob of one stage, everything": lambda: everything(turned("stages.2.block.expansion_ratio")()),
        "one knob of all stages": turned("block.expansion_ratio"),
        "image size": lambda: convlab.profile(base, image=100 + next(turns)),
        "again": lambda: everything(convlab.profile(base)),
    }


def turn_only() -> Callable[[], Any]:
    """The part of a turn that makes the new design, without its costs."""
    base = convlab.load(PRESET)
    turns = itertools.count(1)
    return lambda: convlab.turn(base, "stages.2.block.expansion_ratio", 2 + next(turns) / 10_000)


def peers() -> dict[str, Callable[[], Any]]:
    """The same figures by tracing timm's model: on meta where the tool can."""
    import timm
    import torch
    import torchinfo
    from fvcore.nn import FlopCountAnalysis
    from torch.utils.flop_counter import FlopCounterMode

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    model = timm.create_model(TIMM).eval()
    image = torch.randn(1, 3, 224, 224)
    with torch.device("meta"):
        meta, meta_image = timm.create_model(TIMM).eval(), torch.empty(1, 3, 224, 224)

    def counter() -> None:
        with torch.no_grad(), FlopCounterMode(display=False) as counted:
            meta(meta_image)
        assert counted.get_total_flops() == 2 * convlab.profile(convlab.load(PRESET)).macs

    return {
        "FlopCounterMode on meta": counter,
        "torchinfo": lambda: torchinfo.summary(model, input_data=image, verbose=0),
        "fvcore": lambda: FlopCountAnalysis(model, image).unsupported_ops_warnings(False).total(),
    }


def bulk(name: str, members: int, rounds: int) -> dict[str, Any]:
    """Seconds a design when a population of a space is costed, parameters, MACs and activations."""
    space = load_space(f"spaces/{name}")
    generator = np.random.default_rng(0)
    indices = [int(number) % space.size for number in generator.integers(0, 2**63 - 1, members)]
    times = interleaved({name: lambda: populations.cost_population(space, indices)}, rounds)[name]
    return summary([time / members for time in times]) | {"members": members, "space_size": str(space.size)}


def processes(rounds: int) -> dict[str, Any]:
    """CPU seconds of whole processes in turn."""
    commands = {
        "convlab profile": [sys.executable, "-m", "convlab", "profile", PRESET],
        "import torch": [sys.executable, "-c", "import torch"],
    }
    times: Times = {name: [] for name in commands}
    for round_number in range(-1, rounds):
        for name, command in commands.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if round_number >= 0:
                times[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {name: summary(values) for name, values in times.items()} | {
        "ratio": ratio(times, "convlab profile", "import torch")
    }


def building(rounds: int) -> dict[str, Any]:
    """Building ConvNeXt-T with weights of the same distribution, and without initialisation, beside timm's create_model."""
    import timm
    import torch

    torch.set_num_threads(THREADS)
    made = convlab.load(PRESET)
    candidates = {
        "convlab": lambda: convlab.build(made),
        "convlab without initialisation": lambda: convlab.build(made, initialized=False),
        "timm": lambda: timm.create_model(TIMM),
    }
    times = interleaved(candidates, rounds)
    found: dict[str, Any] = {name: summary(values) | {"threads": THREADS} for name, values in times.items()}
    for name in ("convlab", "convlab without initialisation"):
        found[f"{name} / timm"] = ratio(times, name, "timm")
    return found


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    result: dict[str, Any] = {"surroundings": surroundings(PACKAGES), "image": 224, "preset": PRESET}
    result["processes, CPU seconds"] = processes(max(5, rounds // 3))
    candidates = {**static_candidates(), "the turn itself": turn_only()}
    ours = interleaved(candidates, 50, bursts=dict.fromkeys(candidates, 20))
    result["static"] = {name: summary(values) for name, values in ours.items()}
    turned = "one knob of one stage"
    traced = interleaved({turned: static_candidates()[turned], **peers()}, rounds, bursts={turned: 200})
    result["peers"] = {name: summary(values) for name, values in traced.items()}
    result["times slower than one knob turned"] = {
        name: ratio(traced, name, turned) for name in traced if name != turned
    }
    result["bulk, a design"] = {
        name: bulk(name, 100_000, 7) for name in ("kernel_study", "convnext_sizes", "anynet_x", "convnext_micro")
    }
    result["building"] = building(max(8, rounds // 2))
    show(result)
    print(f"written to {write('costs', result)}")


def show(result: dict[str, Any]) -> None:
    """Print a result as a table."""
    print(f"{result['surroundings']['processor']}, {result['surroundings']['packages']}")
    for section in ("static", "peers", "bulk, a design", "building", "processes, CPU seconds"):
        print(f"\n{section}")
        for name, row in result[section].items():
            if "median_s" in row:
                spread = f"{shown(row['quartile_1_s'])} to {shown(row['quartile_3_s'])}"
                print(f"  {name:<36} {shown(row['median_s']):>9}   ({spread}, n {row['n']})")
            else:
                print(f"  {name:<36} {row['median']:>9.3f}   ({row['quartile_1']:.3f} to {row['quartile_3']:.3f})")
    print("\ntimes slower than one knob turned")
    for name, row in result["times slower than one knob turned"].items():
        print(f"  {name:<36} {row['median']:>9,.0f}   ({row['quartile_1']:,.0f} to {row['quartile_3']:,.0f})")


if __name__ == "__main__":
    main()
