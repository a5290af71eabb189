"""Numbers of the host on the device, without the host waiting for what the device does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def placed(values: NDArray[np.generic] | Tensor, device: torch.device) -> Tensor:
    """The values on the device; to a GPU they go by way of pinned memory, in their turn among its work.

    From memory that is not pinned the driver copies when the GPU has come to it, and the host waits until then.
    """
    here = values if isinstance(values, Tensor) else torch.tensor(values)
    if device.type == "cuda":
        here = here.pin_memory()
    return here.to(device, non_blocking=True)
