"""How nouns show themselves in notebooks: a class says that it does, and what it shows is brought when somebody looks."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

PAGES = "convlab.notebook.pages"
"""Where the pages are written: above all nouns, so none of them imports it."""


class Printer(Protocol):
    """What IPython prints text with."""

    def text(self, text: str) -> None:
        """Take a text that holds line ends."""


def html(noun: object) -> str:
    """The noun as HTML, for ``_repr_html_``."""
    page: str = import_module(PAGES).html_of(noun)
    return page


def pretty(noun: object, printer: Printer, cycle: bool) -> None:
    """The noun as lines of text, for ``_repr_pretty_``."""
    printer.text(repr(noun) if cycle else import_module(PAGES).text_of(noun))
