"""How others train on small images: a plain loop over torch's DataLoader, and timm's train.py in a process of its own."""

from __future__ import annotations

import re
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from timm.data import create_dataset, create_loader
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import FashionMNIST

from convlab import save
from convlab.language.design import Design
from convlab.training.data.datasets import Dataset, Split
from convlab.training.recipes.recipe import Recipe

FILES = {"train": "train", "test": "t10k"}
RATE = re.compile(r"Time:\s+[\d.]+s,\s+([\d.]+)/s")
"""What timm's train.py says of every step at --log-interval 1."""

WARM_UP = 5


def write_fashion_mnist(folder: Path, data: Dataset, images: int) -> None:
    """Some of the images as the files that torchvision's FashionMNIST reads, which timm knows as torch/fashion_mnist."""
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for split, count, name in ((data.train, images, "train"), (data.test, min(images, 512), "test")):
        _write(raw / f"{FILES[name]}-images-idx3-ubyte", _pixels(split)[:count])
        _write(raw / f"{FILES[name]}-labels-idx1-ubyte", split.labels[:count].to(torch.uint8))


def plain_loader(folder: Path, data: Dataset, recipe: Recipe, workers: int) -> DataLoader[tuple[Tensor, Tensor]]:
    """Torchvision's data set with PIL transforms, shuffled, as its tutorials have it; cropped and flipped where the recipe does."""
    chosen: list[object] = []
    if recipe.crop == "pad":
        chosen.append(transforms.RandomCrop(data.height, padding=recipe.crop_padding))
    if recipe.flip:
        chosen.append(transforms.RandomHorizontalFlip())
    chosen += [transforms.ToTensor(), transforms.Normalize(data.mean, data.std)]
    found = FashionMNIST(folder, train=True, transform=transforms.Compose(chosen))
    return DataLoader(
        found, recipe.batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0
    )


def endless(loader: DataLoader[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches, epoch after epoch."""
    while True:
        yield from loader


def plain_steps(model: nn.Module, loader: DataLoader[tuple[Tensor, Tensor]], device: torch.device) -> Iterator[Tensor]:
    """The loop of a tutorial: AdamW as it comes, float32. Yields the loss of every step."""
    optimizer = torch.optim.AdamW(model.parameters())
    model.train()
    for images, labels in endless(loader):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images.to(device)), labels.to(device))
        loss.backward()
        optimizer.step()
        yield loss


def timm_steps(
    model: nn.Module, folder: Path, data: Dataset, recipe: Recipe, *, device: torch.device, workers: int
) -> Iterator[Tensor]:
    """What timm's train.py does in a step, from timm's own parts: data set, loader with its prefetcher, optimizer, schedule, loss.

    For where the script is not at hand. Without its logging, its counting of accuracy and its synchronisation, so that it is rather
    quicker than the script. Augmented as `timm_seconds` does it. Yields the loss of every step.
    """
    mode = "L" if data.channels == 1 else "RGB"
    chosen: dict[str, Any] = {"no_aug": True}
    if recipe.crop != "none":
        chosen = {"scale": (0.6, 1.0), "color_jitter": 0.0, "hflip": 0.5 if recipe.flip else 0.0}
    loader = create_loader(
        create_dataset("torch/fashion_mnist", str(folder), split="train", is_training=True, input_img_mode=mode),
        (data.channels, data.height, data.width),
        recipe.batch,
        is_training=True,
        mean=tuple(data.mean),
        std=tuple(data.std),
        num_workers=workers,
        persistent_workers=workers > 0,
        device=device,
        **chosen,
    )
    optimizer = create_optimizer_v2(model, opt="adamw", lr=1e-3)
    schedule = CosineLRScheduler(optimizer, 10**6, t_in_epochs=False)
    criterion = nn.CrossEntropyLoss().to(device)
    model.train()
    for step, (images, labels) in enumerate(endless(loader)):
        optimizer.zero_grad()
        loss = criterion(model(images.contiguous(memory_format=torch.channels_last)), labels)
        loss.backward()
        optimizer.step()
        schedule.step_update(step)
        yield loss


def timm_seconds(
    script: Path, design: Design, data: Dataset, recipe: Recipe, *, folder: Path, device: str, workers: int
) -> float:
    """Seconds an image of one epoch of timm's train.py, the median of its steps by its own clock, without start and evaluation.

    The network is convlab's, by way of ``python -m convlab.timm``; images are cropped and flipped as timm does it, where the recipe
    crops, and else not augmented.
    """
    save(design, folder / "design.toml")
    size = ["--input-size", data.channels, data.height, data.width]
    command = [
        sys.executable,
        "-m",
        "convlab.timm",
        script,
        "--data-dir",
        folder,
        "--dataset",
        "torch/fashion_mnist",
        *size,
    ]
    command += ["--train-split", "train", "--val-split", "validation", "--num-classes", len(data.classes)]
    command += ["--model", "convlab", "--model-kwargs", f"design={folder / 'design.toml'}"]
    command += ["--mean", *data.mean, "--std", *data.std, "--batch-size", recipe.batch, "--workers", workers]
    command += [
        "--opt",
        "adamw",
        "--lr",
        1e-3,
        "--sched",
        "cosine",
        "--epochs",
        1,
        "--warmup-epochs",
        0,
        "--smoothing",
        0,
    ]
    command += ["--device", device, "--channels-last", "--log-interval", 1, "--output", folder / "timm"]
    augmented = recipe.crop != "none"
    command += (
        ["--scale", 0.6, 1.0, "--color-jitter", 0, "--hflip", 0.5 if recipe.flip else 0] if augmented else ["--no-aug"]
    )
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    rates = [float(rate) for rate in RATE.findall(done.stdout + done.stderr)]
    if done.returncode or len(rates) <= WARM_UP:
        raise SystemExit(f"timm's train.py did not run:\n{(done.stderr or done.stdout)[-3000:]}")
    return statistics.median(1 / rate for rate in rates[WARM_UP:])


def timed(steps: Iterator[object], count: int, device: torch.device) -> float:
    """Seconds of so many steps."""
    start = time.perf_counter()
    for _ in range(count):
        next(steps)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def _pixels(split: Split) -> Tensor:
    assert isinstance(split.images, Tensor)
    return split.images.squeeze(1)


def _write(path: Path, values: Tensor) -> None:
    """An IDX file of bytes: https://yann.lecun.com/exdb/mnist/ describes the format."""
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    path.write_bytes(header + values.contiguous().numpy().tobytes())
