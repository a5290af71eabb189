"""The formats of exports by name: what a file is called, whether it holds weights, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.exports import hub, onnx, safetensors, source, toml, torch_export
from convlab.exports.origin import Origin, Steps
from convlab.exports.targets import Target
from convlab.language.design import Design


@final
@dataclass(frozen=True, slots=True)
class Format:
    """A format: what it is in a few words, the end of its files' names, and whether it holds weights, also folded ones."""

    name: str
    title: str
    ending: str
    write: Callable[[Origin, Target], Steps]
    weights: bool = True
    folds: bool = False

    def usual_path(self, design: Design) -> Path:
        """Where a design goes when nothing else is said: the current folder, under its own name."""
        return Path(f"{design.name or design.key}{self.ending}")


FORMATS = {
    found.name: found
    for found in (
        Format("onnx", "ONNX graph", ".onnx", onnx.write, folds=True),
        Format("torch-export", "torch.export program", torch_export.ENDING, torch_export.write, folds=True),
        Format("safetensors", "weights", ".safetensors", safetensors.write),
        Format("hub", "folder for the Hugging Face hub", "_hub", hub.write),
        Format("toml", "design", ".toml", toml.write, weights=False),
        Format("python", "Python source", ".py", source.write, weights=False),
    )
}


def format_of(name: str) -> Format:
    """The format of a name. Raises ConvlabError where there is none."""
    if name not in FORMATS:
        help = f"formats: {', '.join(FORMATS)}"
        message = f"there is no format {quote(name)}"
        raise ConvlabError(Problem("usage", message, label=did_you_mean(name, FORMATS), help=help), exit_code=2)
    return FORMATS[name]
