"""The environment: what a row says about where it was measured, what lasts of it, and a digest to know it by."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, final

import psutil
import pynvml
import torch

from convlab.measurement.machine.machines import (
    allowed_cpus,
    container,
    cpu_name,
    governor,
    instructions,
    libraries,
    operating_system,
    total_memory,
)
from convlab.measurement.machine.moments import Moment, moment
from convlab.measurement.machine.nvml import MILLI, asked, gpu_handle
from convlab.models.control_groups import cpu_quota, memory_limit

PACKAGES = ("convlab", "torch", "torchvision", "timm", "transformers", "triton", "onnxruntime", "openvino")

SETTINGS = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_LAUNCH_BLOCKING",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF",
    "NVIDIA_TF32_OVERRIDE",
    "TORCH_CUDNN_V8_API_DISABLED",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_PROC_BIND",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "KMP_BLOCKTIME",
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "MKL_ENABLE_INSTRUCTIONS",
    "LD_PRELOAD",
)
"""Variables of the process's environment that change how fast torch runs."""


@final
@dataclass(frozen=True, slots=True)
class Device:
    """The processor that runs the network: on a GPU what NVML and CUDA say of it, None where nobody says it."""

    name: str
    kind: str
    memory_bytes: int
    compute_capability: str = ""
    multiprocessors: int | None = None
    driver: str = ""
    cuda: str = ""
    cudnn: str = ""
    clock_max_mhz: int | None = None
    memory_clock_max_mhz: int | None = None
    power_limit_w: float | None = None


@final
@dataclass(frozen=True, slots=True)
class Host:
    """The machine around it. ``cpus`` may run this process, ``quota`` is how many of them a control group lets it use at a time."""

    cpu: str
    cpus: int
    cores: int | None
    quota: float | None
    governor: str
    instructions: tuple[str, ...]
    memory_bytes: int
    memory_limit_bytes: int | None
    system: str
    container: str


@final
@dataclass(frozen=True, slots=True)
class Software:
    """What runs there: versions of packages, torch's libraries and settings, and the variables that are set."""

    python: str
    packages: dict[str, str]
    libraries: dict[str, str]
    threads: int
    interop_threads: int
    settings: dict[str, str]
    variables: dict[str, str]


@final
@dataclass(frozen=True, slots=True)
class Environment:
    """Where something is measured: what lasts, and the moment at which it was looked at."""

    device: Device
    host: Host
    software: Software
    moment: Moment = field(compare=False)

    def lasting(self) -> dict[str, Any]:
        """All but the moment, as JSON holds it."""
        plain = asdict(self)
        del plain["moment"]
        return plain

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON holds it."""
        return asdict(self) | {"digest": self.digest}

    @property
    def digest(self) -> str:
        """A hash of what lasts: two measurements of one digest were taken on one machine with one software."""
        text = json.dumps(self.lasting(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def environment(device: str | torch.device) -> Environment:
    """The environment of a device, now. Takes some tens of milliseconds, and asks nothing of the network."""
    place = torch.device(device)
    return Environment(_device(place), _host(), _software(), moment(place))


def _device(place: torch.device) -> Device:
    if place.type != "cuda":
        return Device(name=cpu_name(), kind=place.type, memory_bytes=total_memory())
    properties = torch.cuda.get_device_properties(place)
    with gpu_handle(place) as handle:
        limit = asked(pynvml.nvmlDeviceGetEnforcedPowerLimit, handle) if handle else None
        return Device(
            name=properties.name,
            kind=place.type,
            memory_bytes=properties.total_memory,
            compute_capability=f"{properties.major}.{properties.minor}",
            multiprocessors=properties.multi_processor_count,
            driver=str(asked(pynvml.nvmlSystemGetDriverVersion) or "") if handle else "",
            cuda=torch.version.cuda or "",
            cudnn=str(torch.backends.cudnn.version() or ""),  # type: ignore[no-untyped-call]
            clock_max_mhz=asked(pynvml.nvmlDeviceGetMaxClockInfo, handle, pynvml.NVML_CLOCK_SM) if handle else None,
            memory_clock_max_mhz=asked(pynvml.nvmlDeviceGetMaxClockInfo, handle, pynvml.NVML_CLOCK_MEM)
            if handle
            else None,
            power_limit_w=None if limit is None else limit * MILLI,
        )


def _host() -> Host:
    return Host(
        cpu=cpu_name(),
        cpus=allowed_cpus(),
        cores=psutil.cpu_count(logical=False),
        quota=cpu_quota(),
        governor=governor(),
        instructions=instructions(),
        memory_bytes=total_memory(),
        memory_limit_bytes=memory_limit(),
        system=operating_system(),
        container=container(),
    )


def _software() -> Software:
    backends: Any = torch.backends  # its submodules come when they are asked for, which types do not know
    return Software(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages={name: found for name in PACKAGES if (found := _version(name))},
        libraries=libraries(),
        threads=torch.get_num_threads(),
        interop_threads=torch.get_num_interop_threads(),
        settings={
            "cuda.matmul.fp32_precision": backends.cuda.matmul.fp32_precision,
            "cudnn.conv.fp32_precision": backends.cudnn.conv.fp32_precision,
            "cudnn.benchmark": str(backends.cudnn.benchmark),
            "cudnn.deterministic": str(backends.cudnn.deterministic),
            "mkldnn.matmul.fp32_precision": backends.mkldnn.matmul.fp32_precision,
            "deterministic_algorithms": str(torch.are_deterministic_algorithms_enabled()),
        },
        variables={name: os.environ[name] for name in SETTINGS if name in os.environ},
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
