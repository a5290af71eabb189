"""The formats of exports by name: what a file is called, whether it holds weights, and how it is written."""

from __future__ import annotations

import keyword
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
    """A format: what it is in a few words, what its file is called and ends in, and whether it holds weights, also folded ones."""

    name: str
    title: str
    file: str
    ending: str
    write: Callable[[Origin, Target], Steps]
    weights: bool = True
    folds: bool = False

    def usual_path(self, design: Design) -> Path:
        """Where a design goes when nothing else is said: the current folder, under its own name."""
        name = Path(design.name or design.key).name
        if self.ending == ".py":
            from convlab.exports.python.naming import function_name

            name = function_name(name)
        return Path(f"{name}{self.ending}")

    def refuse_other_names(self, path: Path) -> None:
        """Raise ConvlabError for a name by which other programs take a file for something else."""
        if str(path) == "-":
            help = "leave the name out, or name a file or folder"
            raise ConvlabError(Problem("usage", "an export goes to a place, not to stdout", help=help), exit_code=2)
        if not self.ending.startswith(".") or (path.exists() and not path.is_file()):
            return
        stem = path.name.removesuffix(path.suffix)
        proper = path.suffix == self.ending
        if self.ending == ".py":
            proper = proper and _can_be_imported(stem)
            from convlab.exports.python.naming import function_name

            stem = function_name(stem)
            stem = stem if _can_be_imported(stem) else f"{stem}_network"
        if not proper:
            message = f"{quote(path.name)} is no name of a {self.file}"
            raise ConvlabError(Problem("usage", message, help=f"name it {stem}{self.ending}"), exit_code=2)


FORMATS = {
    found.name: found
    for found in (
        Format("onnx", "ONNX graph", "file of ONNX", ".onnx", onnx.write, folds=True),
        Format("torch-export", "torch.export program", "file of torch.export", ".pt2", torch_export.write, folds=True),
        Format("safetensors", "weights", "file of safetensors", ".safetensors", safetensors.write),
        Format("hub", "folder for the Hugging Face hub", "folder", "_hub", hub.write),
        Format("toml", "design", "TOML file", ".toml", toml.write, weights=False),
        Format("python", "Python source", "module of Python", ".py", source.write, weights=False),
    )
}


USED_BY_THE_SOURCE = frozenset({"collections", "math", "torch"})
"""Modules that an exported source imports, which one of their name would hide."""


def _can_be_imported(stem: str) -> bool:
    return stem.isidentifier() and not keyword.iskeyword(stem) and stem not in USED_BY_THE_SOURCE


def format_of(name: str) -> Format:
    """The format of a name. Raises ConvlabError where there is none."""
    if name not in FORMATS:
        help = f"formats: {', '.join(FORMATS)}"
        message = f"there is no format {quote(name)}"
        raise ConvlabError(Problem("usage", message, label=did_you_mean(name, FORMATS), help=help), exit_code=2)
    return FORMATS[name]
