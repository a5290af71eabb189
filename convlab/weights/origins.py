"""The design that a checkpoint of ours says its weights are of."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from convlab.documents.document import parse
from convlab.language.design import Design
from convlab.language.files import resolve
from convlab.language.places import Source
from convlab.weights.reading import metadata


def design_inside(source: str | os.PathLike[str]) -> Design | None:
    """The design that a file of ours says its weights are of; None for all others. Raises ConvlabError where it is not valid."""
    about = metadata(source)
    text = about.get("convlab_design", "")
    if "=" not in text:
        return None
    document = parse(text, f"{Path(source).name}, convlab_design")
    table = {key: value for key, value in document.data.items() if key != "format"}
    return dataclasses.replace(resolve([Source(document, table)]), name=about.get("convlab_name", ""))
