"""Reports: designs with their costs, charts, differences and what the store has of them, as one page to send or as Markdown."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convlab.report.asking import Asked
    from convlab.report.contents import contents
    from convlab.report.markdown import markdown
    from convlab.report.page import page

_HOMES = {"Asked": "asking", "contents": "contents", "markdown": "markdown", "page": "page"}

__all__ = ["Asked", "contents", "markdown", "page"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'convlab.report' has no attribute {name!r}")
    value = getattr(import_module(f"convlab.report.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
