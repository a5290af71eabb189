"""Stems for small images: the same stem with a smaller stride, its kernel in proportion."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import NamedTuple

from convlab.language.custom import own_stride
from convlab.language.knobs import changed
from convlab.language.layer_text import parse_layer
from convlab.language.stem import Stem

LEAST_KERNEL = 3
"""Kernels are made no smaller than this: a 3x3 convolution stays one."""

_STRIDE = re.compile(r"(,\s*)?stride\s*=\s*(\d+)")


class Eased(NamedTuple):
    """A stem with a smaller stride, and the part of the factor that it could not take."""

    stem: Stem
    left: int


def eased(stem: Stem, factor: int) -> Eased:
    """The stem with its stride divided by a power of two, as far as it goes.

    Patches become smaller; where a pool follows a convolution, the convolution gives up its stride before the pool goes.
    """
    if factor == 1:
        return Eased(stem, 1)
    if stem.kind == "patchify":
        taken = math.gcd(factor, stem.patch_size)
        return Eased(changed(stem, {"patch_size": stem.patch_size // taken}), factor // taken)
    return _custom(stem, factor) if stem.kind == "custom" else _convolution(stem, factor)


def _convolution(stem: Stem, factor: int) -> Eased:
    taken = math.gcd(factor, stem.stride)
    left = factor // taken
    values: dict[str, int | str] = {"stride": stem.stride // taken}
    if stem.pool != "none" and left > 1:
        values |= {"pool": "none"}
        taken, left = taken * 2, left // 2
    return Eased(changed(stem, values | {"kernel_size": _kernel(stem.kernel_size, taken)}), left)


def _kernel(kernel_size: int, taken: int) -> int:
    """A kernel in proportion to a stride that is divided; an odd one stays odd, an even one even."""
    smaller = kernel_size // taken
    smaller -= (kernel_size - smaller) % 2
    return max(min(LEAST_KERNEL, kernel_size), smaller)


def _custom(stem: Stem, factor: int) -> Eased:
    branch = list(stem.branch)
    for index, text in enumerate(branch):
        before = own_stride(parse_layer(text))
        taken = math.gcd(factor, before)
        written = _STRIDE.sub(partial(_divided, by=taken), text)
        if taken > 1 and own_stride(parse_layer(written)) * taken == before:
            branch[index] = written
            factor //= taken
    return Eased(changed(stem, {"branch": tuple(branch)}), factor)


def _divided(found: re.Match[str], by: int) -> str:
    stride = int(found[2]) // by
    return "" if stride == 1 else f"{found[1] or ''}stride={stride}"
