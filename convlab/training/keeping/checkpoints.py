"""Checkpoints: a step's tensors and figures in a folder that is there whole or not at all, and is believed only where it is undamaged."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from convlab.errors import ConvlabError, Problem, quote

KEPT: Final = 2
"""So many of the newest checkpoints stay: should the last one be damaged, the one before it is taken."""

STATE: Final = "state.json"

_NAME = re.compile(r"step-(\d{6,})")
_TEMPORARY = ".step-"
_SET_ASIDE = "damaged-"


_DAMAGED = "bad-checkpoint"


@final
@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint: the tensors of each of its files, by the file's name without its ending, and the state beside them."""

    path: Path
    step: int
    tensors: Mapping[str, dict[str, Tensor]]
    state: Mapping[str, Any]


def save(folder: Path, step: int, *, files: Mapping[str, bytes], state: Mapping[str, Any]) -> Path:
    """Write the checkpoint of a step, and take away all but the newest.

    It is written under another name, forced onto the disk, and renamed: a process or a machine that dies meanwhile leaves those before.
    Raises ConvlabError where it cannot be written; what was there before stays.
    """
    target = folder / f"step-{step:06d}"
    temporary = folder / f"{_TEMPORARY}{step:06d}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.exists():  # saved before, by one who was stopped right after
            try:
                return read(target).path
            except ConvlabError:
                _set_aside(target)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        for name, content in files.items():
            _write(temporary / name, content)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        _write(temporary / STATE, _signed({**state, "step": step, "files": digests}))
        _sync(temporary)
        temporary.rename(target)
        _sync(folder)
    except OSError as error:
        raise _not_saved(folder, step, error) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for old in found(folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def found(folder: Path) -> list[Path]:
    """The checkpoints of a folder, the oldest first; whether they are undamaged is not looked at."""
    with suppress(OSError):
        return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=_step)
    return []


def newest(folder: Path) -> tuple[Checkpoint | None, tuple[str, ...]]:
    """The newest checkpoint that is undamaged, None where there is none at all, and what has to be told of others.

    A damaged one is renamed, so that a later one can take its name. Raises ConvlabError where all are damaged, or where one cannot be
    read now; nothing is renamed then.
    """
    paths, notes = found(folder)[::-1], list[str]()
    for number, path in enumerate(paths):
        try:
            checkpoint = read(path)
        except ConvlabError as error:
            if error.problems[0].code != _DAMAGED:
                raise
            notes.append(f"{error.problems[0].message}: it was set aside")
            continue
        for damaged in paths[:number]:
            _set_aside(damaged)
        notes = [f"{note}, and training went on from {path.name}" for note in notes]
        return checkpoint, tuple(notes)
    if paths:
        help = "train anew in another folder, or without --resume"
        message = f"no checkpoint in {quote(str(folder))} can be read"
        label = notes[0].partition(": it was")[0]
        raise ConvlabError(Problem("bad-checkpoint", message, label=label, help=help), exit_code=2)
    return None, ()


def read(path: Path) -> Checkpoint:
    """A checkpoint, every byte of it compared with what was written. Raises ConvlabError where it is damaged."""
    state = _state(path)
    tensors = {}
    for name, digest in state["files"].items():
        try:
            content = (path / name).read_bytes()
            if hashlib.sha256(content).hexdigest() != digest:
                raise _damaged(path, f"{name} is not what was written")
            tensors[Path(name).stem] = load(content)
        except FileNotFoundError:
            raise _damaged(path, f"{name} is missing") from None
        except OSError as error:
            raise _unreadable(path, error) from None
        except SafetensorError as error:
            raise _damaged(path, f"{name}: {error}") from None
    return Checkpoint(path, state["step"], tensors, state)


def clear_unfinished(folder: Path) -> None:
    """Take away what processes that died left half written; no other process may be training in the folder."""
    with suppress(OSError):
        for path in folder.glob(f"{_TEMPORARY}*"):
            shutil.rmtree(path, ignore_errors=True)


def _state(path: Path) -> dict[str, Any]:
    try:
        signed = json.loads((path / STATE).read_bytes())
        state: dict[str, Any] = signed["state"]
        if signed["sha256"] != _digest(state):
            raise _damaged(path, f"{STATE} is not what was written")
    except FileNotFoundError:
        raise _damaged(path, f"{STATE} is missing") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    except (ValueError, KeyError, TypeError):
        raise _damaged(path, f"{STATE} is cut off or scrambled") from None
    return state


def _signed(state: Mapping[str, Any]) -> bytes:
    return json.dumps({"state": state, "sha256": _digest(state)}, indent=1).encode()


def _digest(state: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Force a folder's names onto the disk, where the system opens folders (Windows does not)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _step(path: Path) -> int:
    matched = _NAME.fullmatch(path.name)
    assert matched
    return int(matched[1])


def _unused(path: Path) -> Path:
    """The path itself, or with a number where something of that name is there."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in range(2, 10_000))
    return next((each for each in (path, *numbered) if not each.exists()), path)


def _set_aside(path: Path) -> None:
    with suppress(OSError):
        path.rename(_unused(path.with_name(f"{_SET_ASIDE}{path.name}")))


def _unreadable(path: Path, error: OSError) -> ConvlabError:
    message = f"{quote(str(path))} cannot be read: {error.strerror or error}"
    return ConvlabError(Problem("unreadable-file", message, help="try again; nothing was changed"), exit_code=2)


def _damaged(path: Path, why: str) -> ConvlabError:
    return ConvlabError(Problem(_DAMAGED, f"{path.name} is damaged ({why})"), exit_code=2)


def _not_saved(folder: Path, step: int, error: OSError) -> ConvlabError:
    before = found(folder)
    label = f"{before[-1].name} is the newest that is there" if before else "no checkpoint is there yet"
    help = "make room or name another folder; --resume goes on from the newest checkpoint"
    message = f"the checkpoint of step {step} cannot be written to {quote(str(folder))}: {error.strerror or error}"
    return ConvlabError(Problem("not-saved", message, label=label, help=help), exit_code=3)
