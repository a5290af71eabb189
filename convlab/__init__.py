"""convlab: an interactive laboratory for designing ConvNets. The public nouns and verbs are imported when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convlab.addresses import get
    from convlab.blocks import Block
    from convlab.costs import Profile, profile
    from convlab.design import Design, Image, Stage
    from convlab.downsample import Downsample
    from convlab.errors import ConvlabError
    from convlab.files import load, save
    from convlab.head import Head
    from convlab.models import build
    from convlab.populations import cost_population, sample
    from convlab.space import Space
    from convlab.space_reading import load_space
    from convlab.stem import Stem
    from convlab.turning import turn
    from convlab.verification import verify

__version__ = "0.1.0"

_HOMES = {
    "Block": "blocks",
    "ConvlabError": "errors",
    "Design": "design",
    "Downsample": "downsample",
    "Head": "head",
    "Image": "design",
    "Profile": "costs",
    "Space": "space",
    "Stage": "design",
    "Stem": "stem",
    "build": "models",
    "cost_population": "populations",
    "get": "addresses",
    "load": "files",
    "load_space": "space_reading",
    "profile": "costs",
    "sample": "populations",
    "save": "files",
    "turn": "turning",
    "verify": "verification",
}

__all__ = [
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
    "build",
    "cost_population",
    "get",
    "load",
    "load_space",
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
