"""NVIDIA's management library: the handle of a torch device, and questions that a GPU, a driver or a container may leave open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pynvml
import torch

Answer = TypeVar("Answer")

MILLI = 1e-3


@contextmanager
def gpu_handle(device: torch.device) -> Iterator[Any | None]:
    """The library's handle of a CUDA device while it is open; None for other devices and where the library is missing.

    torch counts the devices that CUDA_VISIBLE_DEVICES leaves, the library all of them: the two meet by UUID, or else by PCI address.
    """
    if device.type != "cuda":
        yield None
        return
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield _handle(torch.cuda.get_device_properties(device))
    finally:
        pynvml.nvmlShutdown()


def asked(question: Callable[..., Answer], *about: Any) -> Answer | None:
    """The library's answer; None where this GPU or driver has none."""
    try:
        return question(*about)
    except pynvml.NVMLError:
        return None


def _handle(properties: Any) -> Any | None:
    identity = str(getattr(properties, "uuid", ""))
    for prefix in ("GPU-", "MIG-"):
        found = asked(pynvml.nvmlDeviceGetHandleByUUID, prefix + identity)
        if found is not None:
            return found
    numbers = (getattr(properties, name, None) for name in ("pci_domain_id", "pci_bus_id", "pci_device_id"))
    domain, bus, slot = (number if isinstance(number, int) else -1 for number in numbers)
    if min(domain, bus, slot) < 0:
        return None
    return asked(pynvml.nvmlDeviceGetHandleByPciBusId, f"{domain:08x}:{bus:02x}:{slot:02x}.0")
