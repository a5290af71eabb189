"""Weights as the bytes of a safetensors file; the same weights are the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from safetensors.torch import save
from torch import Tensor


def packed(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> bytes:
    """Tensors by name as a safetensors file, whose metadata are the texts ``about`` them."""
    # "format" is what transformers and others look for before they read a file.
    return _ordered(save(_apart(tensors), {"format": "pt", **about}))


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, each in memory of its own: a checkpoint may hold one under two names, and safetensors takes no such thing."""
    found: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, tensor in tensors.items():
        whole = tensor.contiguous()
        memory = whole.untyped_storage().data_ptr()
        found[name] = whole.clone() if memory in taken else whole
        taken.add(memory)
    return found


def _ordered(content: bytes) -> bytes:
    """The same file with its metadata in order, which safetensors shuffles."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text + content[8 + length :]
