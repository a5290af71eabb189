"""The lab in a notebook: controls made from knobs beside live charts, pages of nouns, and the notebooks that come along."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convlab.notebook.explorer import Explorer
    from convlab.notebook.work import Work

_HOMES = {"Explorer": "explorer", "Work": "work"}

__all__ = ["Explorer", "Work"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'convlab.notebook' has no attribute {name!r}")
    value = getattr(import_module(f"convlab.notebook.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
