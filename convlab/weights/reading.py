"""Reading a checkpoint, from a file or by a published name: its tensors by their names, on the CPU. No code in a file is ever run."""

from __future__ import annotations

import argparse
import os
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from convlab.errors import ConvlabError, Place, Problem, quote
from convlab.weights.hubs import HUBS, fetched

WRAPPERS: Final = ("model", "state_dict", "model_state_dict", "model_ema", "state_dict_ema", "module", "net")
"""Keys under which training scripts keep a state dict, in the order in which they are looked for."""

PREFIXES: Final = ("module.", "_orig_mod.")
"""What data parallelism and torch.compile put before every name."""

IN_A_FOLDER: Final = ("model.safetensors", "pytorch_model.bin")
"""What a folder of transformers keeps its weights in."""

_HUB_NAMES = tuple(f"{hub}:" for hub in HUBS)
_LFS = b"version https://git-lfs"
_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")
_AGAIN = "fetch the file again, and compare its size with the publisher's"
_KINDS = "weights are read from .safetensors, and from .pth, .pt or .bin files of PyTorch"


def read(source: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors of a file, a folder of transformers, or a published name such as ``timm:convnext_atto``. Raises ConvlabError.

    Files are told apart by their content: safetensors, or a PyTorch checkpoint, which is unpickled with ``weights_only``. A state
    dict is looked for under the keys that training scripts use.
    """
    text = os.fspath(source)
    if text.startswith(_HUB_NAMES):
        tensors: Any = fetched(text)
        if not isinstance(tensors, Path):
            return state_dict(tensors, text)
        text = os.fspath(tensors)
    path = _file(Path(text))
    start = _start(path)
    if start[8:9] == b"{":
        return state_dict(_safetensors(path), str(path))
    if start.startswith((b"PK\x03\x04", b"\x80")):
        return state_dict(_unpickled(path), str(path))
    raise _no_checkpoint(path, start)


def metadata(source: str | os.PathLike[str]) -> dict[str, str]:
    """What a safetensors file, or the one in a folder, says of itself; empty for all others."""
    try:
        path = _file(Path(source))
    except ConvlabError:
        return {}
    if _start(path)[8:9] != b"{":
        return {}
    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except SafetensorError:
        return {}


def _file(path: Path) -> Path:
    """The file of a path, in a folder of transformers the one with the weights."""
    try:
        found = next((inside for name in IN_A_FOLDER if (inside := path / name).is_file()), path)
        is_folder, is_there = found.is_dir(), found.exists()
    except OSError as error:  # a name that is too long, a folder that may not be searched
        raise _unreadable(path, error) from None
    if is_folder:
        help = f"name a file in it; a folder is read where it holds {' or '.join(IN_A_FOLDER)}"
        raise ConvlabError(_problem("not-a-file", path, "this is a folder", help=help), exit_code=2)
    if not is_there:
        help = f"check the spelling and the folder; published names begin with {', '.join(_HUB_NAMES)}"
        raise ConvlabError(
            _problem("unreadable-file", path, f"there is no file {quote(str(path))}", help=help), exit_code=2
        )
    if not found.is_file():
        raise ConvlabError(_problem("not-a-file", path, "this is no regular file", help=_KINDS), exit_code=2)
    return found


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> ConvlabError:
    return ConvlabError(_problem("unreadable-file", path, f"cannot read it: {error.strerror}"), exit_code=2)


def _no_checkpoint(path: Path, start: bytes) -> ConvlabError:
    if not start:
        return ConvlabError(_problem("bad-checkpoint", path, "the file is empty", help=_AGAIN))
    if start.startswith(_LFS):
        help = "git lfs pull fetches the file that it stands for"
        return ConvlabError(
            _problem("bad-checkpoint", path, "this is a pointer of git-lfs, not the weights", help=help)
        )
    try:
        start.decode()
    except UnicodeDecodeError as error:
        if error.start < len(start) - 4:  # the last character may be cut
            return ConvlabError(
                _problem("bad-checkpoint", path, "this is no checkpoint, or one without its beginning", help=_KINDS)
            )
    return ConvlabError(_problem("bad-checkpoint", path, "this is a text file, not a checkpoint", help=_KINDS))


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, "pt") as file:
            names = file.keys()
            return {name: file.get_tensor(name) for name in names}
    except SafetensorError as error:
        raise _damaged(path, str(error)) from None


def _unpickled(path: Path) -> Any:
    try:
        # Training scripts of the authors keep their options beside the weights; a namespace only holds values.
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that torch did not write, which are refused in any case
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _unsafe(path, str(error)) from None
    except Exception as error:  # what a cut or scrambled pickle raises depends on the byte at which it breaks
        raise _damaged(path, str(error)) from None


def _unsafe(path: Path, said: str) -> ConvlabError:
    found = _GLOBAL.search(said)
    if found is None and "Unsupported" not in said:
        return _damaged(path, said)
    what = f"it asks for {quote(found[1])}" if found else "it is damaged, or holds other objects than tensors"
    message = f"this checkpoint is refused: {what}, and reading it could run any code"
    help = (
        "ask its source for safetensors; or, where you trust it, torch.load(..., weights_only=False) in a place where it can do no harm, "
        "and safetensors.torch.save_file of its state dict"
    )
    return ConvlabError(_problem("unsafe-checkpoint", path, message, help=help))


def _damaged(path: Path, said: str) -> ConvlabError:
    note = said.strip().partition("\n")[0].partition(". ")[0][:200]
    return ConvlabError(_problem("bad-checkpoint", path, "the file is damaged or cut off", label=note, help=_AGAIN))


def state_dict(loaded: Any, source: str) -> dict[str, Tensor]:
    """The state dict in what a file holds, without what wrappers put before its names. Raises ConvlabError where there is none."""
    found = loaded
    for key in WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            found = loaded[key]
            break
    state = (
        {name: value for name, value in found.items() if isinstance(name, str) and isinstance(value, Tensor)}
        if isinstance(found, Mapping)
        else {}
    )
    if not state:
        keys = f" (it holds {', '.join(map(str, list(loaded)[:5]))})" if isinstance(loaded, Mapping) and loaded else ""
        help = "save a model's state_dict()"
        raise ConvlabError(
            _problem("bad-checkpoint", source, f"there is no state dict in this checkpoint{keys}", help=help)
        )
    for name, tensor in state.items():
        if told := _unusable(tensor):
            help = "save it dense, in a floating-point format, from a model that has memory"
            raise ConvlabError(_problem("bad-checkpoint", source, f"{quote(name)} {told}", help=help))
    while prefix := next((start for start in PREFIXES if all(name.startswith(start) for name in state)), ""):
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def _unusable(tensor: Tensor) -> str:
    """What keeps a tensor from being the weights of a layer; empty where nothing does."""
    if tensor.layout != torch.strided or tensor.is_quantized:
        return "is a sparse or quantized tensor, which no layer here takes"
    if tensor.is_complex():
        return "is a tensor of complex numbers, which no layer here takes"
    return "was saved on the meta device: it has a shape and no numbers" * tensor.is_meta


def _problem(code: str, path: Path | str, message: str, label: str = "", help: str = "") -> Problem:
    return Problem(code, message, Place(str(path), 0, 0, "", 0), label, help)
