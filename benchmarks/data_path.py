"""The data path beside a plain DataLoader with PIL transforms, both on one thread: images a CPU-second, and how many times more.

Run: python benchmarks/data_path.py [--rounds N] [--smoke]
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from interleaved import interleaved, surroundings, write
from PIL import Image
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as Pictures
from torchvision import transforms

from convlab.measurement.statistics import estimate, inverted, ratio
from convlab.training.batches.batches import Batches
from convlab.training.data.datasets import Dataset, Files, Split
from convlab.training.data.image_folder import PictureFiles
from convlab.training.recipes.recipe import Recipe

PACKAGES = ("convlab", "torch", "torchvision", "pillow", "numpy")
OURS, PLAIN = "convlab", "DataLoader"
CLASSES = tuple("0123456789")
MOVED = Recipe(batch=128, crop="pad", flip=True)
CASES = {
    "28 px, grey, moved and mirrored": (1, 28, MOVED),
    "28 px, grey, as they are": (1, 28, Recipe(batch=128)),
    "32 px, RGB, moved and mirrored": (3, 32, MOVED),
    "32 px, RGB, as they are": (3, 32, Recipe(batch=128)),
    "224 px of JPEG files, random resized crops": (3, 224, Recipe(batch=16, crop="resized", flip=True)),
}


class Plain(Pictures[tuple[torch.Tensor, int]]):
    """A set as torchvision's are: one picture at a time, by Pillow, through transforms."""

    def __init__(self, split: Split, transform: Callable[[Image.Image], torch.Tensor]) -> None:
        self.split, self.transform = split, transform

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        images = self.split.images
        if isinstance(images, Files):
            contents = images.contents
            assert isinstance(contents, PictureFiles)
            picture = Image.open(Path(contents.root, contents.names[index])).convert("RGB")
        else:
            pixels = images[index].permute(1, 2, 0).numpy()
            picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        return self.transform(picture), int(self.split.labels[index])


def transform(dataset: Dataset, recipe: Recipe) -> Callable[[Image.Image], torch.Tensor]:
    """The recipe's changes of an image, as torchvision's transforms."""
    size = dataset.height
    steps: list[Callable[..., Any]] = []
    if recipe.crop == "pad":
        steps.append(transforms.RandomCrop(size, padding=recipe.crop_padding, padding_mode="reflect"))
    elif recipe.crop == "resized":
        steps.append(transforms.RandomResizedCrop(size, interpolation=transforms.InterpolationMode.BICUBIC))
    elif dataset.streams:
        steps += [transforms.Resize(size, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(size)]
    if recipe.flip:
        steps.append(transforms.RandomHorizontalFlip())
    made: Callable[[Image.Image], torch.Tensor] = transforms.Compose(
        [*steps, transforms.ToTensor(), transforms.Normalize(dataset.mean, dataset.std)]
    )
    return made


def noise(count: int, channels: int, size: int) -> Dataset:
    """A set in memory."""
    images = torch.randint(0, 256, (count, channels, size, size), dtype=torch.uint8)
    return _set(Split(images, torch.arange(count) % 10), channels, size)


def photographs(folder: Path, count: int, size: int) -> Dataset:
    """JPEG files of 500 x 375 px, the usual size of ImageNet's."""
    draws = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(draws.integers(0, 256, (38, 50, 3), np.uint8))
        coarse.resize((500, 375), Image.Resampling.BICUBIC).save(folder / f"{number:04}.jpg", quality=90)
    names = tuple(sorted(path.name for path in folder.iterdir()))
    return _set(Split(Files(PictureFiles(str(folder), names)), torch.arange(count) % 10), 3, size)


def parity(dataset: Dataset, recipe: Recipe) -> None:
    """Both sides give the same numbers for the same images where nothing is drawn at random."""
    plain = replace(recipe, crop="none", flip=False)
    ours = Batches(dataset, plain, seed=0, workers=0)
    theirs = Plain(dataset.train, transform(dataset, plain))
    loader = DataLoader(theirs, batch_size=recipe.batch, sampler=ours._order.images(0).tolist())
    images, labels = next(iter(loader))
    batch = ours.at(0)
    assert torch.allclose(batch.images, images, atol=1e-4)
    assert torch.equal(batch.targets, labels)


def measured(dataset: Dataset, recipe: Recipe, rounds: int) -> dict[str, Any]:
    """Images a CPU-second of both sides, epoch by epoch in turn, and the ratio of both."""
    parity(dataset, recipe)
    ours = Batches(dataset, recipe, seed=0, workers=0)
    epochs = itertools.count()
    loader = DataLoader(
        Plain(dataset.train, transform(dataset, recipe)), batch_size=recipe.batch, shuffle=True, drop_last=True
    )

    def our_epoch() -> None:
        first = next(epochs) * ours.steps_per_epoch
        for step in range(first, first + ours.steps_per_epoch):
            ours.at(step)

    def their_epoch() -> None:
        for _ in loader:
            pass

    # Many of our epochs in a row: one of a small set is over within the clock's resolution and the caches' warming up.
    candidates = {OURS: our_epoch, PLAIN: their_epoch}
    times = interleaved(candidates, rounds, bursts={} if dataset.streams else {OURS: 10}, clock=time.process_time)
    images = ours.steps_per_epoch * recipe.batch
    found: dict[str, Any] = {
        name: {"epochs_s": times[name], "images_a_cpu_second": asdict(inverted(estimate(times[name]), images))}
        for name in (OURS, PLAIN)
    }
    found["times faster"] = asdict(ratio(times[PLAIN], times[OURS]))
    return {"images": images, "batch": recipe.batch, **found}


def show(name: str, found: dict[str, Any]) -> None:
    """Print one case as a line."""
    ours, theirs = (found[side]["images_a_cpu_second"]["median"] for side in (OURS, PLAIN))
    faster = found["times faster"]
    spread = f"{faster['low']:.1f} to {faster['high']:.1f}, n {faster['n']}"
    print(f"{name:44} {ours:>10,.0f} {theirs:>10,.0f} {faster['median']:>8.1f} times ({spread})", flush=True)


def _set(split: Split, channels: int, size: int) -> Dataset:
    mean, std = (0.45,) * channels, (0.25,) * channels
    return Dataset("benchmark", CLASSES, channels, size, size, split, split, split, mean, std, "", "generated")


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--smoke", action="store_true", help="few images and rounds, to see that all of it runs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rounds = 2 if options.smoke else options.rounds
    result: dict[str, Any] = {"surroundings": surroundings(PACKAGES), "clock": "CPU seconds", "threads": 1, "cases": {}}
    print(f"{'images a CPU-second':44} {OURS:>10} {PLAIN:>10}")
    for name, (channels, size, recipe) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            if recipe.crop == "resized":
                dataset = photographs(Path(folder), 16 if options.smoke else 128, size)
            else:
                dataset = noise(256 if options.smoke else 4096, channels, size)
            result["cases"][name] = measured(dataset, recipe, rounds)
        show(name, result["cases"][name])
    if not options.smoke:
        print(f"written to {write('data_path', result)}")


if __name__ == "__main__":
    main()
