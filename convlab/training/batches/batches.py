"""Batches of a data set: what a step of a training sees, as a pure function of (seed, step), and the images of a split to judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self, final

import torch
from torch import Tensor

from convlab.errors import ConvlabError, Problem
from convlab.training.batches.augmentation import Draws
from convlab.training.batches.erasing import erase
from convlab.training.batches.mixing import Mixing
from convlab.training.batches.normalization import Normalization
from convlab.training.batches.order import Order, steps
from convlab.training.batches.placing import placed
from convlab.training.batches.preparation import Pixels, Preparation, policy_of
from convlab.training.batches.resident import Resident
from convlab.training.batches.source import Source
from convlab.training.batches.streaming import Stream, judged
from convlab.training.batches.workers import Workers, usual_workers
from convlab.training.data.datasets import Dataset, Files, Split
from convlab.training.recipes.recipe import Recipe


@final
@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """Images (float32, N x C x H x W, normalised) and what the network should say, on the device.

    ``targets`` are labels (int64, N), or probabilities (float32, N x classes) where the recipe mixes images. Label smoothing is not in
    them: it is the loss's, and the same for both.
    """

    images: Tensor
    targets: Tensor


@final
class Batches:
    """The batches of one training, or this process's share of them where ``world`` processes train together.

    Every batch is a function of the seed and the step: the order of an epoch is a permutation drawn for (seed, epoch), what is done to an
    image is drawn for (seed, epoch, image), how a batch is mixed for (seed, step). There is no state to save: a training that was ended
    anyhow sees the same batches again, designs of one seed see the same ones, and the shares of several processes are those of one. An
    epoch shows no image twice; what is left of it, less than a batch, is left out. Evaluation shows every image once, in order.

    Small sets lie on the device. Files, and recipes with ``random_augment``, are prepared by ``workers`` processes (None: as many as there
    are processors; 0: none); ``close`` ends these, as do the end of a ``with`` block and of this object.
    """

    def __init__(
        self,
        dataset: Dataset,
        recipe: Recipe,
        *,
        seed: int,
        device: torch.device | str = "cpu",
        rank: int = 0,
        world: int = 1,
        workers: int | None = None,
    ) -> None:
        self._dataset, self._recipe, self._device = dataset, recipe, torch.device(device)
        self._order = Order(len(dataset.train), recipe.batch, seed)
        self.steps_per_epoch = self._order.steps_per_epoch
        self.steps = steps(len(dataset.train), recipe.batch, epochs=recipe.epochs, samples=recipe.samples)
        self._start, self._stop = _share(recipe.batch, rank, world)
        self._mixing = Mixing(
            seed,
            len(dataset.classes),
            recipe.mixup,
            recipe.cutmix,
            recipe.mix_probability,
            recipe.mix_switch_probability,
        )
        preparation = _preparation(dataset, recipe, seed)
        self._normalization = Normalization(
            dataset.mean,
            dataset.std,
            width=preparation.width,
            device=self._device,
            channels_last=recipe.channels_last,
        )
        self._workers = Workers(
            preparation,
            usual_workers() if workers is None else workers,
            pinned=self._device.type == "cuda",
        )
        self._source = self._made_source()

    def at(self, step: int) -> Batch:
        """The batch of a step, counted from 0, or this process's share of it."""
        return self._between(step, self._start, self._stop)

    def pieces(self, step: int, size: int) -> Iterator[Batch]:
        """The same batch in micro-batches of ``size`` images, the last one perhaps smaller, each made when it is asked for."""
        for start in range(self._start, self._stop, size):
            yield self._between(step, start, min(start + size, self._stop))

    def evaluation(self, split: Split, *, size: int = 0) -> Iterator[Batch]:
        """All images of a split in its order, as they are judged, with their labels; ``size`` at a time (0: the recipe's batch)."""
        size = size or self._recipe.batch
        labels = torch.split(split.labels, size)
        for pixels, some in zip(self._judged(split, size), labels, strict=True):
            yield Batch(self._normalization(pixels), placed(some, self._device))

    def close(self) -> None:
        """End the worker processes, if there are any, and drop what they prepared; they start again when they are needed again."""
        self._source.close()
        self._workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _between(self, step: int, start: int, stop: int) -> Batch:
        """Images from one place in the step's batch to before another."""
        # Partners of mixing are neighbours: a piece that begins or ends between them needs the other one as well.
        first, last = (start & ~1, min(stop + (stop & 1), self._recipe.batch)) if self._mixing.blends else (start, stop)
        numbers = self._order.images(step)[first:last]
        images = self._normalization(self._source.training(step, first, last))
        if self._recipe.random_erasing:
            draws = Draws(self._order.seed, self._order.epoch(step))
            images = erase(images, numbers, draws, probability=self._recipe.random_erasing)
        labels = placed(self._dataset.train.labels.index_select(0, torch.tensor(numbers)), self._device)
        mix = self._mixing.drawn(step, images.shape[2], images.shape[3])
        images, targets = self._mixing.images(images, mix), self._mixing.targets(labels, mix)
        inside = slice(start - first, stop - first)
        return Batch(images[inside], targets[inside])

    def _judged(self, split: Split, size: int) -> Iterator[Tensor]:
        if isinstance(split.images, Files):
            yield from judged(split.images, self._workers, size=size, device=self._device)
            return
        for images in torch.split(split.images, size):
            yield placed(images, self._device).permute(0, 2, 3, 1)

    def _made_source(self) -> Source:
        images, recipe = self._dataset.train.images, self._recipe
        if not isinstance(images, Files) and not recipe.random_augment:
            return Resident(images, self._order, recipe, device=self._device)
        pictures = images if isinstance(images, Files) else Pixels(images.permute(0, 2, 3, 1).contiguous().numpy())
        span = (self._start & ~1, min(self._stop + (self._stop & 1), recipe.batch))
        return Stream(pictures, self._order, self._workers, span=span, end=self.steps, device=self._device)


def refuse_unfit(dataset: Dataset, recipe: Recipe, *, world: int = 1) -> None:
    """Raise ConvlabError where a set and a recipe make no batches, as ``Batches`` would: too few images, unknown words of timm's."""
    Order(len(dataset.train), recipe.batch, recipe.seed)
    _share(recipe.batch, 0, world)
    _preparation(dataset, recipe, recipe.seed)


def _share(batch: int, rank: int, world: int) -> tuple[int, int]:
    """Where in a batch a process's share begins and ends."""
    if batch % world:
        problem = Problem(
            "out-of-range",
            f"a batch of {batch} images cannot be shared out evenly to {world} processes",
            help=f"set a batch that is a multiple of {world}, such as {-(-batch // world) * world}",
            path="batch",
        )
        raise ConvlabError(problem, exit_code=2)
    return rank * (batch // world), (rank + 1) * (batch // world)


def _preparation(dataset: Dataset, recipe: Recipe, seed: int) -> Preparation:
    """How pictures are prepared; words that timm does not know are refused here, before any process starts."""
    height, width = dataset.height, dataset.width
    if dataset.streams and recipe.image_size:
        height = width = recipe.image_size
    if recipe.random_augment:
        policy_of(recipe.random_augment, min(height, width), dataset.mean, recipe.interpolation)
    return Preparation(
        height,
        width,
        seed,
        dataset.mean,
        recipe.crop,
        recipe.crop_padding,
        recipe.crop_least_area,
        recipe.flip,
        recipe.random_augment,
        recipe.interpolation,
        recipe.evaluation_crop if dataset.streams else 1.0,
    )
