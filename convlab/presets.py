"""Presets: the designs and spaces that come with convlab, one TOML file each."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_LONGEST_NAME = 100


@cache
def preset_folder() -> Path:
    """Where the presets are: inside an installed wheel, or beside the package in a checkout."""
    package = Path(__file__).parent
    installed = package / "presets"
    return installed if installed.is_dir() else package.parent / "presets"


def preset_names(folder: str = "") -> tuple[str, ...]:
    """The names of the presets in a folder ("", "roadmap", "spaces"), in order, with the folder before them."""
    found = sorted(path.name.removesuffix(".toml") for path in (preset_folder() / folder).glob("*.toml"))
    return tuple(f"{folder}/{name}" if folder else name for name in found)


def preset_path(name: str) -> Path | None:
    """The file of a preset, None where there is none of that name; "roadmap/07_moved_up" names one in a folder."""
    if (
        not name
        or len(name) > _LONGEST_NAME
        or any(part in ("", ".", "..") or not part.replace("_", "a").isalnum() for part in name.split("/"))
    ):
        return None
    path = preset_folder() / f"{name}.toml"
    return path if path.is_file() else None
