"""What the paper measures of ConvNeXt beside Swin (Liu et al., 2022, arXiv:2201.03545): throughput (Tables 1 and 12), training memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, final

import torch
from interleaved import shown
from torch import Tensor, nn

import convlab
from convlab import facts
from convlab.layers import Shape
from convlab.measurement.benchmarking import benchmark
from convlab.measurement.memory.attempts import attempt
from convlab.measurement.memory.peaks import peak_memory
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.subjects import Subject, module_subject
from convlab.models.features import FeatureMaps
from convlab.progress import finished

PAIRS = (
    ("ConvNeXt-T", "convnext_t", "Swin-T", "swin_t", 224),
    ("ConvNeXt-S", "convnext_s", "Swin-S", "swin_s", 224),
    ("ConvNeXt-B", "convnext_b", "Swin-B", "swin_b", 224),
    ("ConvNeXt-L", "convnext_l", "Swin-L", "swin_l", 224),
    ("ConvNeXt-B", "convnext_b", "Swin-B", "swin_b_384", 384),
    ("ConvNeXt-L", "convnext_l", "Swin-L", "swin_l_384", 384),
)
"""The paper's names, our presets, and the side of the images in pixels."""

DETECTION_IMAGE = (800, 1280)
"""Height and width of images at detection: the shorter side 800 px, the longer at most 1333."""

DETECTION_BATCH = 2
"""Images a GPU in the paper's detectors."""


def throughput_table(conditions: Conditions, protocol: Protocol, smoke: bool) -> list[dict[str, Any]]:
    """ConvNeXt beside Swin: the paper's images a second and their ratio, and ours of both; printed and returned.

    The paper's A100 multiplies in tf32 and keeps maps channels-last: so does a GPU here, unless told another dtype.
    """
    on_gpu = conditions.device.startswith("cuda")
    dtype = "tf32" if on_gpu and conditions.dtype == "float32" else conditions.dtype
    asked = replace(conditions, task="inference", mode="eager", dtype=dtype)
    rows = []
    for pair in PAIRS[:1] if smoke else PAIRS:
        found = _pair(pair, asked, protocol, 64 if smoke else pair[-1])
        rows.append(found)
        print(*_lines(found), sep="\n", flush=True)
    return rows


def _pair(
    pair: tuple[str, str, str, str, int], conditions: Conditions, protocol: Protocol, side: int
) -> dict[str, Any]:
    name, preset, other, other_preset, size = pair
    made = finished(
        benchmark([preset], against=[other_preset], image=(side, side), conditions=conditions, protocol=protocol)
    )
    speed = made.speed(0)
    return {
        "pair": f"{name} / {other}",
        "image_px": side,
        "published": [asdict(each) for each in _published(name, other, size)],
        "rows": [row.plain() for row in made.rows],
        "ratio": None if speed is None else asdict(speed),
        "disturbances": made.disturbances,
    }


def _published(name: str, other: str, size: int) -> Iterator[facts.PublishedModel]:
    """The rows of both networks, once a device; pre-training does not change the throughput."""
    seen = set()
    for row in facts.models():
        device = (row.device or "").startswith(("A100", "V100 (fp32"))
        if device and row.image_size == size and row.model in (name, other) and (row.model, row.device) not in seen:
            seen.add((row.model, row.device))
            yield row


def _lines(found: dict[str, Any]) -> Iterator[str]:
    name, other = found["pair"].split(" / ")
    yield f"    {found['pair']}, {found['image_px']} px"
    devices = dict.fromkeys(row["device"] for row in found["published"])
    for device in devices:
        rates = {row["model"]: row["images_per_second"] for row in found["published"] if row["device"] == device}
        if name in rates and other in rates:
            one, two = rates[name], rates[other]
            yield f"        published {one:8.1f} / {two:8.1f} images/s = {one / two:.3f}   {device}"
    if found["ratio"] is None:
        yield from (f"        {row['subject']}: {row['failure']}" for row in found["rows"] if row["failure"])
        return
    one, two = (row["images_per_second"]["median"] for row in found["rows"])
    ratio, row = found["ratio"], found["rows"][0]
    interval = f"({ratio['low']:.3f} to {ratio['high']:.3f}, n {ratio['n']})"
    how = f"{row['dtype']}, batch {row['batch']}, {row['device']}"
    yield f"        measured  {one:8.1f} / {two:8.1f} images/s = {ratio['median']:.3f} {interval}   {how}"


@final
class Pooled(nn.Module):
    """A backbone whose every map is averaged over its pixels: scores to train on, at next to no memory of their own."""

    def __init__(self, backbone: FeatureMaps):
        super().__init__()
        self.backbone = backbone

    def forward(self, images: Tensor) -> Tensor:
        maps: dict[str, Tensor] = self.backbone(images)
        return torch.cat([each.mean((2, 3)) for each in maps.values()], 1)


def detection_memory(conditions: Conditions, protocol: Protocol, smoke: bool) -> list[dict[str, Any]]:
    """The most memory of a training step of both backbones at detection size, printed and returned; the paper's are of whole detectors."""
    del protocol  # memory is counted, not sampled
    size = (64, 96) if smoke else DETECTION_IMAGE
    letter = "t" if smoke else "b"
    on_gpu = conditions.device.startswith("cuda")
    print(
        f"    Backbones alone, {DETECTION_BATCH} images of {size[0]} x {size[1]} px, AdamW. The published figures are of whole"
    )
    print("    Cascade Mask R-CNN detectors, 2 images a GPU, so that only the ratio of the two can be set beside ours.")
    rows = []
    for dtype in ("float32", "float16") if on_gpu else ("float32",):
        asked = replace(conditions, task="training", mode="eager", dtype=dtype, batch=DETECTION_BATCH)
        for preset, name in ((f"convnext_{letter}", "ConvNeXt-B"), (f"swin_{letter}", "Swin-B")):
            rows.append(_trained(_backbone(preset, size), asked) | {"published_gb": _published_gb(name)})
            print(_memory_line(rows[-1]), flush=True)
    return rows


def _backbone(preset: str, size: tuple[int, int]) -> Subject:
    design = convlab.turn(convlab.load(preset), "image.size", list(size))
    return module_subject(lambda: Pooled(convlab.features(design)), name=f"{preset} backbone", image=Shape(3, *size))


def _trained(subject: Subject, conditions: Conditions) -> dict[str, Any]:
    about: dict[str, Any] = {"subject": subject.name, "image": list(subject.image), **asdict(conditions)}
    workload = attempt(subject, conditions)
    if isinstance(workload, str):
        return {**about, "failure": workload}
    try:
        memory = peak_memory(workload)
        step = sum(workload.run())
    finally:
        workload.close()
    held = getattr(memory, "held", None)
    return {**about, "failure": "", "step_s": step, "peak_bytes": getattr(memory, "peak", None), "held_bytes": held}


def _published_gb(name: str) -> float:
    found = (row.peak_training_gb for row in facts.downstream() if row.backbone == name)
    return next(each for each in found if each is not None)


def _memory_line(row: dict[str, Any]) -> str:
    published = f"the published detector {row['published_gb']} GB"
    if row["failure"]:
        return f"    {row['subject']:<24} {row['dtype']:<9} {row['failure']}; {published}"
    peak, held = row["peak_bytes"], row["held_bytes"]
    most = "not counted on this device" if peak is None else f"{peak / 1e9:6.2f} GB"
    stays = "" if held is None else f" ({held / 1e9:.2f} GB of it weights, AdamW's state and the batch)"
    return f"    {row['subject']:<24} {row['dtype']:<9} {most}{stays}, step {shown(row['step_s'])}; {published}"
