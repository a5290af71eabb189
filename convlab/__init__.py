"""convlab: an interactive laboratory for designing ConvNets. The public nouns and verbs are imported when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convlab.costs import Profile, profile
    from convlab.errors import ConvlabError
    from convlab.exports import export
    from convlab.language.addresses import get
    from convlab.language.blocks import Block
    from convlab.language.design import Design, Image, Stage
    from convlab.language.downsample import Downsample
    from convlab.language.files import load, save
    from convlab.language.head import Head
    from convlab.language.stem import Stem
    from convlab.language.turning import turn
    from convlab.measurement.benchmarking import Benchmark, benchmark
    from convlab.measurement.calibration import calibrate
    from convlab.measurement.rounds import Protocol
    from convlab.measurement.running.conditions import Conditions
    from convlab.models import build, fold
    from convlab.models.allocation import keep_memory
    from convlab.models.features import features
    from convlab.prediction import predict
    from convlab.progress import finished
    from convlab.runs import open_store
    from convlab.spaces.populations import cost_population, sample
    from convlab.spaces.reading import load_space
    from convlab.spaces.space import Space
    from convlab.training.comparing import train
    from convlab.verification import verify
    from convlab.weights.inheritance import inherit_weights
    from convlab.weights.loading import load_weights

__version__ = "0.1.0"

_HOMES = {
    "Benchmark": "measurement.benchmarking",
    "Block": "language.blocks",
    "Conditions": "measurement.running.conditions",
    "ConvlabError": "errors",
    "Design": "language.design",
    "Downsample": "language.downsample",
    "Head": "language.head",
    "Image": "language.design",
    "Profile": "costs",
    "Protocol": "measurement.rounds",
    "Space": "spaces.space",
    "Stage": "language.design",
    "Stem": "language.stem",
    "benchmark": "measurement.benchmarking",
    "build": "models",
    "calibrate": "measurement.calibration",
    "cost_population": "spaces.populations",
    "export": "exports",
    "features": "models.features",
    "finished": "progress",
    "fold": "models",
    "get": "language.addresses",
    "inherit_weights": "weights.inheritance",
    "keep_memory": "models.allocation",
    "load": "language.files",
    "load_space": "spaces.reading",
    "load_weights": "weights.loading",
    "open_store": "runs",
    "predict": "prediction",
    "profile": "costs",
    "sample": "spaces.populations",
    "save": "language.files",
    "train": "training.comparing",
    "turn": "language.turning",
    "verify": "verification",
}

__all__ = [
    "Benchmark",
    "Block",
    "Conditions",
    "ConvlabError",
    "Design",
    "Downsample",
    "Head",
    "Image",
    "Profile",
    "Protocol",
    "Space",
    "Stage",
    "Stem",
    "__version__",
    "benchmark",
    "build",
    "calibrate",
    "cost_population",
    "export",
    "features",
    "finished",
    "fold",
    "get",
    "inherit_weights",
    "keep_memory",
    "load",
    "load_space",
    "load_weights",
    "open_store",
    "predict",
    "profile",
    "sample",
    "save",
    "train",
    "turn",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name == "charts":
        return import_module("convlab.charts")
    if name not in _HOMES:
        raise AttributeError(f"module 'convlab' has no attribute {name!r}")
    value = getattr(import_module(f"convlab.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
