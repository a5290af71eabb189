"""The shelf: calibrations as files in the user's data folder, and which of them speaks for a device as it is now."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import final

from convlab.errors import ConvlabError, Place, Problem, quote
from convlab.language.files import write_whole
from convlab.prediction.calibration import Calibration, calibration_of, text_of
from convlab.prediction.machine import Machine, here, torch_threads

MOST_BYTES = 10_000_000


@final
@dataclass(frozen=True)
class Choice:
    """The calibration that speaks for this device, or None; ``passed_over`` says why others do not."""

    calibration: Calibration | None
    passed_over: tuple[str, ...] = ()


def calibration_folder() -> Path:
    """Where calibrations are kept, whether it is there or not."""
    from platformdirs import user_data_path

    return Path(user_data_path("convlab", appauthor=False)) / "calibrations"


def path_of(calibration: Calibration, folder: Path | None = None) -> Path:
    """The file of a calibration: one for each machine, torch, number of threads, number format and layout."""
    machine = calibration.machine
    parts = (machine.name, machine.torch, machine.cpus, machine.thread_settings, calibration.threads)
    digest = hashlib.sha256(repr((*parts, calibration.default_threads)).encode()).hexdigest()[:10]
    layout = "channels_last" if calibration.channels_last else "contiguous"
    device = machine.device.replace(":", "")
    return (folder or calibration_folder()) / f"{device}-{calibration.dtype}-{layout}-{digest}.json"


def put(calibration: Calibration, folder: Path | None = None) -> Path:
    """Write a calibration, whole or not at all, in the place of an older one of the same kind. Raises ConvlabError."""
    path = path_of(calibration, folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make the folder {quote(str(path.parent))}: {error.strerror}"
        problem = Problem("unreadable-file", message, help="give another data folder, by XDG_DATA_HOME say")
        raise ConvlabError(problem, exit_code=2) from None
    write_whole(path, text_of(calibration).encode())
    return path


def files(folder: Path | None = None) -> tuple[Path, ...]:
    """The files of all calibrations, by name."""
    try:
        return tuple(sorted((folder or calibration_folder()).glob("*.json")))
    except OSError:
        return ()


def read(path: Path) -> Calibration:
    """The calibration of a file; one that has not changed is read once. Raises ConvlabError."""
    try:
        state = path.stat()
        return _read(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        place = Place(str(path), 0, 0, "", 0)
        problem = Problem("unreadable-file", f"cannot read the calibration: {error.strerror}", place)
        raise ConvlabError(problem, exit_code=2) from None


@lru_cache(maxsize=32)
def _read(path: Path, _changed: int, size: int) -> Calibration:
    if size > MOST_BYTES:
        raise ConvlabError(Problem("too-large", "a calibration is not that large", Place(str(path), 0, 0, "", 0)))
    return calibration_of(path.read_text(encoding="utf-8", errors="replace"), str(path))


def choice(
    device: str = "auto",
    *,
    dtype: str = "float32",
    channels_last: bool = True,
    threads: int = 0,
    folder: Path | None = None,
) -> Choice:
    """The calibration of a device as it is now; of "auto" a GPU's before the CPU's.

    ``threads`` 0 is the number that torch takes here by itself. One that was made elsewhere, with another torch or number of threads
    is passed over.
    """
    fitting, passed_over = [], []
    for path in files(folder):
        try:
            found = read(path)
        except ConvlabError as error:
            passed_over.append(f"{path.name}: {error.problems[0].message}")
            continue
        if (found.dtype, found.channels_last) != (dtype, channels_last) or not _is_asked_for(device, found.machine):
            continue
        reason = _difference(found, threads)
        if reason:
            passed_over.append(f"the calibration of {found.made} is of {reason}")
        else:
            fitting.append(found)
    ranked = sorted(fitting, key=_rank)
    return Choice(ranked[0] if ranked else None, tuple(passed_over))


def _rank(found: Calibration) -> tuple[bool, str, bool]:
    """GPUs first; of those with as many threads, the one where torch chose the number as it does here."""
    return not found.machine.device.startswith("cuda"), found.machine.device, not _chosen_by_torch(found)


def _chosen_by_torch(found: Calibration) -> bool:
    """Whether torch chose the number of threads, and from what it chooses from here."""
    then, now = found.machine, here(found.machine.device)
    return found.default_threads and (then.cpus, then.thread_settings) == (now.cpus, now.thread_settings)


def _is_asked_for(device: str, machine: Machine) -> bool:
    return device in ("auto", machine.device) or (device == "cuda" and machine.device == "cuda:0")


def _difference(found: Calibration, threads: int) -> str:
    """In what a calibration belongs to something else than what is here now, "" where it fits."""
    then, now = found.machine, here(found.machine.device)
    if now.name and then.name != now.name:
        return f"another device ({then.name})"
    if then.torch != now.torch:
        return f"torch {then.torch}, here is {now.torch or 'none'}"
    if then.device != "cpu":
        return ""
    of = f"{found.threads} thread{'s' * (found.threads != 1)}"
    if threads:
        return "" if threads == found.threads else f"{of}, not {threads}"
    if _chosen_by_torch(found) or found.threads == torch_threads():
        return ""
    return f"{of}, torch takes {torch_threads()} here; threads={found.threads} (--threads {found.threads}) asks for it"
