"""Exports: a design as a file or a folder that other programs read, with weights where the format holds them."""

from convlab.exports.exporter import Exported, export
from convlab.exports.formats import FORMATS, Format

__all__ = ["FORMATS", "Exported", "Format", "export"]
