"""The three forms as data: the knobs of each, and the order that their values come to."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from convlab.errors import ConvlabError, Problem
from convlab.language.acceptance import accepted
from convlab.language.knobs import Knob, Refused, knob, knobs_of
from convlab.settings import Settings
from convlab.tui.forms.order import Order, Subject, Word, said_together

if TYPE_CHECKING:
    from typing import Self

EMPTY = "empty: "
"""How the help of a knob that may be left out begins to say what holds then."""


class Asked(ABC):
    """What a form asks for: a frozen dataclass of knobs. A knob whose default is None may be left out."""

    kind: ClassVar[str]
    """The command."""
    title: ClassVar[str]
    several: ClassVar[bool]
    """Whether it is about several designs at a time."""
    introduction: ClassVar[str] = ""
    """What has to be known before, where the knobs do not say it."""

    @classmethod
    def usual(cls, settings: Settings) -> Self:
        """The values to begin with: those of the settings, and of the shell."""
        known = {name for name in knobs_of(cls) if name in knobs_of(Settings)}
        return cls(**{name: getattr(settings, name) for name in known})

    @classmethod
    def filled(cls, last: Mapping[str, Any], usual: Self) -> Self:
        """The values of the last time, as far as they are still taken, and the usual ones."""
        knobs = knobs_of(cls)
        kept = {name: taken(knobs[name], value) for name, value in last.items() if name in knobs}
        return dataclasses.replace(
            usual,  # type: ignore[type-var]  # each of them is a dataclass
            **{name: value for name, value in kept.items() if not isinstance(value, Refused)},
        )

    @classmethod
    def suggestions(cls, name: str) -> tuple[str, ...]:
        """Words that are likely for a knob of text."""
        return ()

    @abstractmethod
    def order(self, subjects: Sequence[Subject], usual: Self) -> Order:
        """The order; what is as usual is not said. Raises ConvlabError where values do not go together, or name nothing."""

    def values(self) -> dict[str, Any]:
        """The values by name, for the next time."""
        return {name: getattr(self, name) for name in knobs_of(type(self))}


def taken(knob: Knob, value: Any) -> Any:
    """The value as the knob keeps it, or ``Refused``; None is nothing, where that may be."""
    return None if value is None and knob.default is None else accepted(knob, value)


@final
@dataclass(frozen=True)
class Measure(Asked):
    """How fast designs are on this device."""

    kind = "bench"
    title = "Measure"
    several = True

    what: str = knob(
        "throughput",
        "what is measured; latency: how long a caller waits, sweep: rising batches, layers: each by itself",
        choices=("throughput", "latency", "sweep", "layers"),
    )
    task: str = knob("inference", "what a step does", choices=("inference", "training", "both"))
    device: str = knob("auto", "where it runs; auto: a GPU where there is one", choices=("auto", "cpu", "cuda", "mps"))
    batch: int | None = knob(
        None,
        "images a step; empty: 8 on a CPU, 128 elsewhere, 1 for latency",
        kind="integer",
        low=1,
        high=1_000_000,
        unit="images",
    )
    dtype: str = knob(
        "float32", "number format; in training that of autocast", choices=("float32", "tf32", "bfloat16", "float16")
    )
    compile: str = knob(
        "eager",
        "as it is, or through torch.compile, which takes a minute or two",
        choices=("eager", "compiled", "max-autotune"),
    )
    folded: bool = knob(False, "batch norms and parallel branches inside convolutions, as for inference")
    seconds: float = knob(10.0, "how long each network is measured at most", low=0.1, high=86_400, unit="s")
    against: str = knob(
        "", "networks to compare with, such as timm:convnext_tiny; blanks between", kind="text", high=1000
    )

    @classmethod
    def suggestions(cls, name: str) -> tuple[str, ...]:
        return _presets() if name == "against" else ()

    def order(self, subjects: Sequence[Subject], usual: Measure) -> Order:
        self._refuse_misfits()
        options: list[str] = [] if self.what == "throughput" else [f"--{self.what}"]
        options += _said(self, usual, ("task", "device", "batch", "dtype"))
        options += ["--mode", self.compile] if self.compile != usual.compile else []
        options += _flag(self.folded, "--folded") + _said(self, usual, ("seconds",))
        options += _beside(self.against)
        names = ", ".join(each.name for each in subjects)
        return _ordered(self, f"{self.what} of {names}, {self.task}", subjects, options)

    def _refuse_misfits(self) -> None:
        if self.task == "both" and self.what != "throughput":
            raise _usage(f"{self.what} is of one task", "task inference, or training")
        if self.what == "sweep" and self.batch is not None:
            raise _usage("a sweep goes through the batches by itself", "leave batch empty")
        if self.what == "layers" and self.compile != "eager":
            raise _usage("in a compiled network layers have no times of their own", "compile eager")
        if self.folded and self.task != "inference":
            raise _usage("a folded network is for inference", "task inference")


@final
@dataclass(frozen=True)
class Train(Asked):
    """A short training of designs, made smaller for the data."""

    kind = "train"
    title = "Train a proxy"
    several = True
    introduction = (
        "A proxy is trained: image, depths and widths made smaller for the data, unless at full size. Curves tells how small, and its "
        "test accuracy."
    )

    recipe: str = knob("sprint", "how to train: the name of a recipe or its file", kind="text", high=1000)
    data: str = knob("", "name or folder of a data set; empty: as the recipe says", kind="text", high=1000)
    epochs: float | None = knob(
        None, "budget; empty: the recipe's", kind="number", low=0.001, high=100_000, unit="epochs"
    )
    samples: int | None = knob(
        None, "budget in images, in place of epochs", kind="integer", low=1, high=10**12, unit="images"
    )
    batch: int | None = knob(
        None, "images a step; empty: the recipe's", kind="integer", low=1, high=1_048_576, unit="images"
    )
    image: int | None = knob(
        None, "side of the images; empty: the recipe's or data's", kind="integer", low=1, high=4096, unit="px"
    )
    seeds: int = knob(1, "how often each design is trained", low=1, high=1000)
    device: str = knob("auto", "where it runs; auto: a GPU where there is one", choices=("auto", "cpu", "cuda", "mps"))
    threads: int | None = knob(
        None, "of the CPU; fewer where others keep it busy; empty: torch's own", kind="integer", low=1, high=1024
    )
    full_size: bool = knob(False, "designs as they are, not made smaller for the data")
    against: str = knob(
        "", "designs to train beside it, such as resnet50 or mine.toml; blanks between", kind="text", high=1000
    )

    @classmethod
    def suggestions(cls, name: str) -> tuple[str, ...]:
        if name == "against":
            return _presets()
        if name == "recipe":
            from convlab.training.recipes.named import recipe_names

            return recipe_names()
        if name == "data":
            from convlab.training.data.registry import datasets

            return tuple(each.name for each in datasets())
        return ()

    def order(self, subjects: Sequence[Subject], usual: Train) -> Order:
        if self.epochs is not None and self.samples is not None:
            raise _usage("epochs and samples are two ways to say the budget", "leave one of them empty")
        from convlab.training.recipes.named import recipe

        recipe(self.recipe)
        said = ("recipe", "data", "epochs", "samples", "batch", "image", "seeds", "device", "threads")
        options = _said(self, usual, said) + _flag(self.full_size, "--full-size") + _beside(self.against)
        names = ", ".join([*(each.name for each in subjects), *self.against.split()])
        return _ordered(self, f"{self.recipe} of {names}", subjects, options)


@final
@dataclass(frozen=True)
class Export(Asked):
    """The design for other programs."""

    kind = "export"
    title = "Export"
    several = False

    format: str = knob(
        "onnx",
        "what is written",
        choices=("onnx", "torch-export", "safetensors", "hub", "toml", "python"),
    )
    file: str = knob("", "where to; empty: under the design's name in this folder", kind="text", high=1000)
    folded: bool = knob(False, "onnx, torch-export: batch norms and parallel branches inside convolutions")
    weights: str = knob("", "file or published name of trained weights; empty: random ones", kind="text", high=1000)
    overwrite: bool = knob(False, "in the place of a file that is there")

    def order(self, subjects: Sequence[Subject], usual: Export) -> Order:
        if self.folded and self.format not in ("onnx", "torch-export"):
            raise _usage(f"{self.format} holds no folded network", "onnx or torch-export, or not folded")
        options = ["--to", self.format]
        options += ["--output", self.file] if self.file else []
        options += _flag(self.folded, "--folded") + _said(self, usual, ("weights",)) + _flag(self.overwrite, "--force")
        return _ordered(self, f"{self.format} of {subjects[0].name if subjects else ''}", subjects, options)


FORMS: tuple[type[Asked], ...] = (Measure, Train, Export)


def _said(asked: Asked, usual: Asked, names: Sequence[str]) -> list[str]:
    """The options of knobs that are not as usual."""
    pairs = [(name, getattr(asked, name)) for name in names if getattr(asked, name) != getattr(usual, name)]
    return [
        word
        for name, value in pairs
        if value is not None
        for word in (f"--{name.replace('_', '-')}", f"{value:.15g}" if isinstance(value, float) else str(value))
    ]


def _beside(against: str) -> list[str]:
    """The options of designs and networks that are compared with."""
    return [word for name in against.split() for word in ("--against", name)]


def _presets() -> tuple[str, ...]:
    from convlab.presets import preset_names

    return preset_names()


def _flag(wanted: bool, option: str) -> list[str]:
    return [option] if wanted else []


def _ordered(asked: Asked, title: str, subjects: Sequence[Subject], options: Sequence[str]) -> Order:
    if not subjects:
        raise _usage("no design is chosen", "choose one of the list")
    words: tuple[Word, ...] = ("convlab", asked.kind, *(each.word for each in subjects), *options)
    together = said_together(subjects)
    # Folded is what is measured, not what it is compared with.
    is_said = bool(together) and not ("--folded" in options and "--against" in together)
    said = ("convlab", asked.kind, *together, *options) if is_said else ()
    return Order(asked.kind, title, words, asked.values(), said)


def _usage(message: str, help: str) -> ConvlabError:
    return ConvlabError(Problem("usage", message, help=help), exit_code=2)
