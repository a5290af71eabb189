"""What a checkpoint of ours says of itself: the design whose weights it holds, in full, and whose names they carry."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from convlab.documents.document import parse
from convlab.language.design import Design
from convlab.language.files import resolve
from convlab.language.places import Source
from convlab.language.writing import text_in_full
from convlab.weights.reading import metadata


def origin(design: Design, layout: str) -> dict[str, str]:
    """The metadata of a safetensors file."""
    return {
        "convlab_design": text_in_full(design),
        "convlab_key": design.key,
        "convlab_layout": layout,
        "convlab_name": design.name,
    }


def design_inside(source: str | os.PathLike[str]) -> Design | None:
    """The design that a file of ours says its weights are of; None for all others. Raises ConvlabError where it is not valid."""
    about = metadata(source)
    text = about.get("convlab_design", "")
    if "=" not in text:
        return None
    document = parse(text, f"{Path(source).name}, convlab_design")
    table = {key: value for key, value in document.data.items() if key != "format"}
    return dataclasses.replace(resolve([Source(document, table)]), name=about.get("convlab_name", ""))
