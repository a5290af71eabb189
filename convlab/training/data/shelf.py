"""Decoded pictures kept between runs: a file in the user's cache folder for each set, as long as nothing of the set changes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "1"
"""Counts up when pictures are decoded or resized in another way."""

MOST_FILES = 8
"""So many sets are kept; the one that was not used for longest goes."""


def cache_folder() -> Path:
    """Where decoded pictures are kept."""
    from platformdirs import user_cache_path

    return user_cache_path("convlab", appauthor=False) / "pictures"


def taken(key: str) -> tuple[Sequence[Tensor], str] | None:
    """Tensors and checksum that were kept under this key, None where they were not or the cache cannot be read."""
    from safetensors import SafetensorError, safe_open

    path = _path(key)
    try:
        with safe_open(path, framework="pt") as file:
            checksum = file.metadata()["checksum"]
            tensors = [file.get_tensor(name) for name in sorted(file.keys())]
        path.touch()  # it is in use
    except (OSError, SafetensorError, KeyError, TypeError):
        return None
    return tensors, checksum


def keep(key: str, tensors: Sequence[Tensor], checksum: str) -> None:
    """Keep tensors and checksum under this key. Where that cannot be, it is done without: it saves time and nothing else."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    path = _path(key)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({str(number): tensor for number, tensor in enumerate(tensors)}, temporary, {"checksum": checksum})
        temporary.replace(path)
        files = sorted(path.parent.glob("*.safetensors"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in files[MOST_FILES:]:
            old.unlink(missing_ok=True)
    except (OSError, SafetensorError):
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _path(key: str) -> Path:
    return cache_folder() / f"{key}-{FORMAT}.safetensors"
