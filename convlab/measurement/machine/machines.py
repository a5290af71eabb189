"""The machine around a device, read from the operating system: its processor, memory, limits of containers, what it runs under."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import psutil
import torch


def cpu_name() -> str:
    """The processor as its maker calls it."""
    for line in _text(Path("/proc/cpuinfo")).splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model") and value.strip():
            return value.strip()
    if platform.system() == "Darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        found = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=5).stdout.strip()
        if found:
            return found
    return platform.processor() or platform.machine()


def allowed_cpus() -> int:
    """How many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def governor() -> str:
    """Who decides on the processor's clocks, as Linux calls it: "performance", "powersave", ...; empty where it is not told."""
    return _text(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")).strip()


def instructions() -> tuple[str, ...]:
    """What torch's kernels can use: its widest vectors, and what multiplies short numbers."""
    tests = {"bfloat16 vectors": "_is_avx512_bf16_supported", "int8 vectors": "_is_vnni_supported"}
    tests |= {"AMX": "_is_amx_tile_supported", "AMX float16": "_is_amx_fp16_supported"}
    extra = (name for name, test in tests.items() if getattr(torch.cpu, test, bool)())
    return (torch.backends.cpu.get_cpu_capability(), *extra)


def libraries() -> dict[str, str]:
    """The libraries that multiply matrices on the CPU, and how threads are made."""
    backends = torch.backends
    known = {"MKL": backends.mkl, "oneDNN": backends.mkldnn, "OpenMP": backends.openmp}
    found = {name: "yes" if backend.is_available() else "no" for name, backend in known.items()}
    for line in torch.__config__.show().splitlines():
        for name, words in (("MKL", "Math Kernel Library Version "), ("oneDNN", "MKL-DNN v")):
            _, known_by, rest = line.partition(words)
            if known_by and found[name] == "yes":
                found[name] = rest.split(maxsplit=1)[0].split("-")[0]
    return found


def operating_system() -> str:
    """The system and its kernel, such as "Linux 6.8.0, Debian GNU/Linux 12 (bookworm)"."""
    named = f"{platform.system()} {platform.release()}"
    try:
        return f"{named}, {platform.freedesktop_os_release()['PRETTY_NAME']}"
    except (OSError, KeyError):
        return f"{named}, macOS {platform.mac_ver()[0]}" if platform.mac_ver()[0] else named


def container() -> str:
    """What the process seems to be shut into: "docker", "podman", "kubernetes", "virtual machine", ..., joined; empty for none."""
    found = []
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        found.append("kubernetes")
    if Path("/.dockerenv").exists():
        found.append("docker")
    if Path("/run/.containerenv").exists():
        found.append("podman")
    if not found and os.environ.get("container"):  # noqa: SIM112  # systemd-nspawn and LXC write it so
        found.append(os.environ["container"])  # noqa: SIM112
    if "microsoft" in platform.release().lower():
        found.append("WSL")
    elif " hypervisor" in _text(Path("/proc/cpuinfo")):
        found.append("virtual machine")
    return " in ".join(found)


def total_memory() -> int:
    """The machine's memory in bytes."""
    return int(psutil.virtual_memory().total)


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
