"""Whether a model fits: what it needs against what the device has, before anything is allocated."""

from __future__ import annotations

from pathlib import Path

import torch

from convlab import units
from convlab.costs import Profile
from convlab.errors import ConvlabError, Problem
from convlab.models.control_groups import memory_left


def refuse_too_big(profile: Profile, device: torch.device, dtype: torch.dtype, batch: int = 1) -> None:
    """Raise ConvlabError where the weights (in float32 while they are made) and a batch's activations exceed the free memory."""
    needed = profile.params * 4 + profile.peak_bytes(batch, element_bytes=dtype.itemsize)
    free = free_bytes(device)
    if free is not None and needed > free:
        message = f"the model needs {units.size(needed)}, {device} has {units.size(free)} free"
        weights = f"{units.count(profile.params)} parameters"
        images = "one image" if batch == 1 else f"{batch} images"
        help = f"{weights} and the activations of {images}; smaller widths, depths, image size or batch"
        raise ConvlabError(Problem("too-big", message, help=help))


def free_bytes(device: torch.device) -> int | None:
    """Free memory of a device in bytes; None where it cannot be told."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "cpu":
        found = [size for size in (_available(), memory_left()) if size is not None]
        return min(found) if found else None
    return None


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), None)
