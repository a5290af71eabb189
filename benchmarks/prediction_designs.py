"""The networks that predictions are checked at: presets and random designs, each at inference and in training where it fits."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import torch

import convlab
from convlab.errors import ConvlabError
from convlab.language.design import Design
from convlab.measurement.calibration import SCALES
from convlab.presets import preset_names

KINDS = ("latency", "throughput", "training")
MOST_TIMES = 10
"""A batch has at most so many times the multiply-adds of the calibration's own networks; steps of larger ones take too long."""

SPACES = ("spaces/regnet_x", "spaces/anynet_x", "spaces/convnext_sizes", "spaces/convnext_micro")
TURNED = [
    "convnext_atto",
    "convnext_femto",
    "convnext_pico",
    "convnext_v2_atto",
    "convnext_t",
    "swin_t",
    "deit_s",
    "resnet18",
    "resnet50",
    "resnext50_32x4d",
    "regnety_400mf",
    "regnety_800mf",
    "efficientnet_b0",
    "efficientnet_b1",
    "mobilenet_v2",
    "repvgg_a0",
    "roadmap/07_moved_up",
    "roadmap/13_fewer_activations",
]
TURNS: dict[str, tuple[object, ...]] = {
    "stages.*.block.kernel_size": (3, 5, 7, 9),
    "block.expansion_ratio": (1.0, 2.0, 3.0, 4.0, 6.0),
    "block.activation": ("relu", "gelu", "silu", "hardswish"),
    "block.norm": ("batch_norm", "layer_norm"),
    "block.squeeze_ratio": (0.0, 0.25),
    "depths": ([2, 2, 6, 2], [1, 2, 4, 1], [3, 3, 9, 3], [2, 3, 5, 3]),
    "image.size": (128, 160, 192, 224, 256),
}


@dataclass
class Item:
    """One network under one condition, and what was measured of it, visit by visit."""

    name: str
    design: Design = field(repr=False)
    kind: str
    batch: int
    macs: int
    visits: list[float] = field(default_factory=list)
    failure: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A network that is not measured, and why."""

    name: str
    kind: str
    reason: str


def items(presets: int, designs: int, *, seed: int, device: str) -> tuple[list[Item], list[LeftOut]]:
    """Latency at batch 1, throughput at the calibrated batch, a training step at that or a smaller one; and what is too large for it."""
    scale = SCALES[torch.device(device).type]
    most = MOST_TIMES * scale.network_macs
    draw = random.Random(seed)
    names = [*preset_names(), *preset_names("roadmap")]
    draw.shuffle(names)
    chosen = [(name, convlab.load(name)) for name in names[:presets]]
    chosen += random_designs(designs, draw, most)
    batches = {
        "latency": (1,),
        "throughput": (scale.batch,),
        "training": (scale.batch, scale.batch // 2, scale.batch // 4),
    }
    found, left_out = [], []
    for name, design in chosen:
        macs = convlab.profile(design).macs
        for kind, sizes in batches.items():
            batch = next((size for size in sizes if macs * size <= most), 0)
            if batch:
                found.append(Item(name, design, kind, batch, macs))
            else:
                reason = f"a step is too long: {macs * sizes[-1] / 1e9:.1f} G multiply-adds, {most / 1e9:g} G at most"
                left_out.append(LeftOut(name, kind, reason))
    return found, left_out


def random_designs(count: int, draw: random.Random, most_macs: int) -> list[tuple[str, Design]]:
    """Members of the spaces that come with convlab, and presets with a few knobs turned; none larger than is measured."""
    found: list[tuple[str, Design]] = []
    spaces = [convlab.load_space(name) for name in SPACES]
    while len(found) < count:
        index = len(found)
        if index % 2:
            space = spaces[(index // 2) % len(spaces)]
            (member,) = convlab.sample(space, 1, seed=draw.randrange(2**31)).population.indices
            design, name = space[int(member)], f"{SPACES[(index // 2) % len(spaces)]}[{int(member)}]"
        else:
            name, design = _turned(draw)
        if convlab.profile(design).macs <= most_macs:
            found.append((name, design))
    return found


def _turned(draw: random.Random) -> tuple[str, Design]:
    while True:
        preset = draw.choice(TURNED)
        design, told = convlab.load(preset), []
        for path in draw.sample(sorted(TURNS), 3):
            value = draw.choice(TURNS[path])
            try:
                turned = convlab.turn(design, path, value)
                convlab.profile(turned)
            except ConvlabError:
                continue
            if turned.key != design.key or path == "image.size":
                design, told = turned, [*told, f"{path}={value}"]
        if told:
            return f"{preset} {' '.join(told)}", design
