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
    from convlab.models import build, fold
    from convlab.models.features import features
    from convlab.prediction import predict
    from convlab.spaces.populations import cost_population, sample
    from convlab.spaces.reading import load_space
    from convlab.spaces.space import Space
    from convlab.verification import verify
    from convlab.weights.inheritance import inherit_weights
    from convlab.weights.loading import load_weights

__version__ = "0.1.0"

_HOMES = {
    "Benchmark": "measurement.benchmarking",
    "Block": "language.blocks",
    "ConvlabError": "errors",
    "Design": "language.design",
    "Downsample": "language.downsample",
    "Head": "language.head",
    "Image": "language.design",
    "Profile": "costs",
    "Space": "spaces.space",
    "Stage": "language.design",
    "Stem": "language.stem",
    "benchmark": "measurement.benchmarking",
    "build": "models",
    "cost_population": "spaces.populations",
    "export": "exports",
    "features": "models.features",
    "fold": "models",
    "get": "language.addresses",
    "inherit_weights": "weights.inheritance",
    "load": "language.files",
    "load_space": "spaces.reading",
    "load_weights": "weights.loading",
    "predict": "prediction",
    "profile": "costs",
    "sample": "spaces.populations",
    "save": "language.files",
    "turn": "language.turning",
    "verify": "verification",
}

__all__ = [
    "Benchmark",
    "Block",
    "ConvlabError",
    "Design",
    "Downsample",
    "Head",
    "Image",
    "Profile",
    "Space",
    "Stage",
    "Stem",
    "__version__",
    "benchmark",
    "build",
    "cost_population",
    "export",
    "features",
    "fold",
    "get",
    "inherit_weights",
    "load",
    "load_space",
    "load_weights",
    "predict",
    "profile",
    "sample",
    "save",
    "turn",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'convlab' has no attribute {name!r}")
    value = getattr(import_module(f"convlab.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
