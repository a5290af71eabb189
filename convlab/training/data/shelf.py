"""Decoded pictures kept between runs: a file in the user's cache folder for each set, as long as nothing of the set changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
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


def kept(
    key: str, make: Callable[[], tuple[Sequence[Tensor], str]], *, worthwhile: bool
) -> tuple[Sequence[Tensor], str]:
    """Tensors and checksum as ``make`` gives them, from the cache where they were made before under this key.

    Where the cache cannot be read or written it is done without: it saves time and nothing else.
    """
    path = cache_folder() / f"{key}-{FORMAT}.safetensors"
    found = _read(path)
    if found is not None:
        return found
    tensors, checksum = make()
    if worthwhile:
        _write(path, tensors, checksum)
    return tensors, checksum


def _read(path: Path) -> tuple[Sequence[Tensor], str] | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            checksum = file.metadata()["checksum"]
            tensors = [file.get_tensor(name) for name in sorted(file.keys())]
        path.touch()  # it is in use
    except (OSError, SafetensorError, KeyError, TypeError):
        return None
    return tensors, checksum


def _write(path: Path, tensors: Sequence[Tensor], checksum: str) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

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
