"""A recipe: all that decides how a network is trained besides the design and the seed, as knobs of one frozen noun."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, final

from convlab.language.knobs import knob, knobs_of

NOT_IN_DIGEST = frozenset({"summary", "seed", "evaluations"})
"""Knobs that leave the weights as they are, and the seed, which is kept beside the digest."""


@final
@dataclass(frozen=True)
class Recipe:
    """How networks are trained. Two recipes are equal where every knob is; they have one ``digest`` where they train alike.

    The defaults are those of a plain training: no augmentation, no decay of any kind, the whole of the training split once.
    """

    name: str = field(default="", compare=False)
    summary: str = knob("", "what the recipe is for, in a line", kind="text", high=1000)

    # Data and budget
    data: str = knob(
        "auto",
        "name or path of a data set; auto: fashion_mnist where it is found, else drawn images",
        kind="text",
        high=1000,
    )
    image_size: int = knob(
        0, "height and width that images are trained at; 0: the data set's own", low=0, high=4096, unit="px"
    )
    epochs: float = knob(
        1.0, "the budget in epochs of the training split, where samples is 0", low=0.001, high=100_000, unit="epochs"
    )
    samples: int = knob(
        0,
        "the budget in images, each counted as often as it is shown; 0: as epochs says",
        low=0,
        high=10**12,
        unit="images",
    )
    batch: int = knob(128, "images a step, over all micro-batches and devices", low=1, high=1_048_576, unit="images")
    accumulation: int = knob(1, "micro-batches that a step's batch is cut into, to save memory", low=1, high=65536)
    evaluations: int = knob(8, "how often the validation split is looked at during the budget", low=1, high=10_000)

    # Optimiser
    optimizer: str = knob(
        "adamw",
        "what turns gradients into steps; muon: on dense weights, AdamW on the others",
        choices=("adamw", "sgd", "muon"),
    )
    learning_rate: float = knob(1e-3, "highest learning rate of the schedule", low=0, high=100)
    learning_rate_batch: int = knob(
        0,
        "batch that learning_rate is meant for: it grows with the batch; 0: it is absolute",
        low=0,
        high=1_048_576,
        unit="images",
    )
    momentum: float = knob(0.9, "share of the old in the average of gradients (beta1 of AdamW)", low=0, high=0.9999)
    beta2: float = knob(0.999, "share of the old in AdamW's average of squared gradients", low=0, high=0.999999)
    epsilon: float = knob(1e-8, "what AdamW adds to the root of squared gradients", low=1e-30, high=1)
    weight_decay: float = knob(
        0.0, "decay of weights times the learning rate; vectors, biases, layer scale and GRN have none", low=0, high=10
    )
    layer_decay: float = knob(
        1.0, "factor of the learning rate from a layer group to the one before it; 1: all learn alike", low=0.01, high=1
    )
    layer_decay_groups: str = knob(
        "block",
        "how layers are grouped for layer_decay: one a block, or the twelve of ConvNeXt's fine-tuning",
        choices=("block", "twelve"),
    )
    clip_norm: float = knob(0.0, "largest norm of all gradients together; 0: they are not clipped", low=0, high=1e6)
    ema: float = knob(
        0.0,
        "share of the old in a running average of the weights, which is judged as well; 0: none",
        low=0,
        high=0.999999,
    )

    # Course of the learning rate
    schedule: str = knob(
        "cosine",
        "the course of the learning rate after the warm-up",
        choices=("one_cycle", "cosine", "linear", "constant"),
    )
    warmup: float = knob(0.0, "share of the budget in which the learning rate rises", low=0, high=1)
    warmup_epochs: float = knob(
        0.0,
        "epochs in which the learning rate rises, in place of warmup; 0: as warmup says",
        low=0,
        high=100_000,
        unit="epochs",
    )
    final_learning_rate: float = knob(0.0, "learning rate at the end of the schedule", low=0, high=100)

    # Loss and augmentation
    label_smoothing: float = knob(0.0, "share of the target that is spread over all classes", low=0, high=0.99)
    mixup: float = knob(0.0, "alpha of mixup, two images blended; 0: off", low=0, high=10)
    cutmix: float = knob(0.0, "alpha of CutMix, a box of one image in another; 0: off", low=0, high=10)
    mix_probability: float = knob(1.0, "probability that a batch is mixed at all", low=0, high=1)
    mix_switch_probability: float = knob(0.5, "probability of CutMix where both kinds of mixing are on", low=0, high=1)
    crop: str = knob(
        "none",
        "how training images are cut: whole, moved within a padded border, or a random part resized",
        choices=("none", "pad", "resized"),
    )
    crop_padding: int = knob(4, "border of reflected pixels for crop = pad", low=0, high=256, unit="px")
    crop_least_area: float = knob(0.08, "smallest share of the image for crop = resized", low=0.001, high=1)
    flip: bool = knob(False, "whether every second training image is mirrored left to right")
    random_augment: str = knob(
        "", "timm's words for RandAugment and its like, such as rand-m9-mstd0.5-inc1; empty: off", kind="text", high=200
    )
    random_erasing: float = knob(0.0, "probability that a box of the image is overwritten with noise", low=0, high=1)
    interpolation: str = knob("bicubic", "how images are resized", choices=("bicubic", "bilinear", "nearest"))
    evaluation_crop: float = knob(
        1.0, "share of the resized image's side that is judged, from its centre", low=0.1, high=1
    )

    # The network
    drop_path: float = knob(-1.0, "rate of stochastic depth in the last block; -1: the design's", low=-1, high=0.99)
    layer_scale: float = knob(
        0.0, "first value of layer scale where the design has it; 0: the design's", low=0, high=10
    )
    dirac_depthwise: bool = knob(False, "whether depthwise kernels start as ones that pass the image through")
    head_scale: float = knob(
        1.0, "factor of the classifier's first weights and biases, small for fine-tuning", low=0, high=10
    )
    shrink: str = knob(
        "auto",
        "whether designs are made smaller for the data and the budget by the proxy rule",
        choices=("auto", "never"),
    )

    # The machine
    dtype: str = knob(
        "float32", "number format of the forward and backward pass", choices=("float32", "bfloat16", "float16")
    )
    compile: bool = knob(False, "whether the network is compiled; the first step then takes a minute or two")
    channels_last: bool = knob(True, "whether feature maps lie in memory with the channels last (NHWC)")
    deterministic: bool = knob(True, "whether a second run gives the same numbers bit for bit, on one machine")
    seed: int = knob(
        0, "seed of the first run: initial weights, order and augmentation of images", low=0, high=2**31 - 1
    )

    by_hand: frozenset[str] = field(default=frozenset(), compare=False)
    """The knobs that somebody turned on the named recipe, as ``--recipe-set`` does: no proxy rule turns them back."""

    @property
    def peak_learning_rate(self) -> float:
        """The highest learning rate of the schedule, at the recipe's batch."""
        return (
            self.learning_rate * self.batch / self.learning_rate_batch
            if self.learning_rate_batch
            else self.learning_rate
        )

    @property
    def warmup_share(self) -> float:
        """The share of the budget in which the learning rate rises."""
        return self.warmup_epochs / self.epochs if self.warmup_epochs else self.warmup

    @property
    def digest(self) -> str:
        """A hash of what decides the trained weights: 16 hexadecimal digits; of neither name, summary, seed nor evaluations.

        Knobs at their defaults do not count, so that recipes keep their digests when a knob is added that is off by default.
        """
        text = json.dumps(_deciding(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def values(recipe: Recipe) -> dict[str, Any]:
    """Every knob's value, by name, in the order of their declaration."""
    return {name: getattr(recipe, name) for name in knobs_of(Recipe)}


def _deciding(recipe: Recipe) -> dict[str, Any]:
    return {
        name: value
        for name, value in values(recipe).items()
        if name not in NOT_IN_DIGEST and value != knobs_of(Recipe)[name].default
    }
