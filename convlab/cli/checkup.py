"""What doctor looks at: Python, packages, torch and its devices (in a process of its own), presets, settings."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any, Literal, NamedTuple

from convlab import __version__
from convlab.errors import ConvlabError
from convlab.presets import preset_folder, preset_names
from convlab.settings import project_file, read_settings, unknown_variables, user_file

NEEDED = ("torch", "torchvision", "timm", "typer", "rich", "numpy", "tomlkit", "safetensors")
USED = ("textual", "plotly", "jupyterlab", "fvcore", "torchinfo", "triton")
SECONDS = 120

PROBE = """
import json, platform
import torch
found = {"version": torch.__version__, "threads": torch.get_num_threads(), "cuda": torch.version.cuda, "hip": torch.version.hip}
found["gpus"] = [
    {"name": torch.cuda.get_device_name(i), "bytes": torch.cuda.get_device_properties(i).total_memory}
    for i in range(torch.cuda.device_count())
] if torch.cuda.is_available() else []
found["mps"] = torch.backends.mps.is_available()
print(json.dumps(found))
"""


class Finding(NamedTuple):
    """One thing that was looked at; "broken" is what convlab needs, "note" what it can do without."""

    what: str
    state: Literal["fine", "note", "broken"]
    found: str
    fix: str = ""


def examine() -> tuple[Finding, ...]:
    """Everything that was found, in the order in which it is shown."""
    return tuple(_findings())


def _findings() -> Iterator[Finding]:
    yield Finding(
        "convlab", "fine", f"{__version__}, Python {platform.python_version()} on {platform.platform(terse=True)}"
    )
    for name in NEEDED:
        version = _version(name)
        yield (
            Finding(name, "fine", version)
            if version
            else Finding(name, "broken", "not installed", f"pip install {name}")
        )
    yield from (Finding(name, "fine", version) for name in USED if (version := _version(name)))
    missing = [name for name in USED if not _version(name)]
    if missing:
        yield Finding("without", "note", f"{', '.join(missing)} (not needed to build and to cost designs)")
    yield from _torch()
    yield from _torchvision()
    yield _presets()
    yield from _settings()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _torch() -> Iterator[Finding]:
    """Devices, as a process of its own sees them: a torch that crashes must not take the doctor with it."""
    code, said, complaint = _run(PROBE)
    if code != 0:
        yield Finding("import torch", "broken", complaint, "pip install --force-reinstall torch")
        return
    found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    yield Finding("cpu", "fine", f"{found['threads']} threads")
    for index, gpu in enumerate(found["gpus"]):
        yield Finding(f"cuda:{index}", "fine", f"{gpu['name']}, {gpu['bytes'] / 2**30:.1f} GiB")
    if found["mps"]:
        yield Finding("mps", "fine", "Apple GPU")
    if not found["gpus"] and not found["mps"]:
        build = f"CUDA {found['cuda']}" if found["cuda"] else "ROCm" if found["hip"] else "CPU"
        yield Finding(
            "gpu", "note", f"none that this torch (built for {build}) can use: --device cuda will not work here"
        )


def _torchvision() -> Iterator[Finding]:
    """Torch of one origin with torchvision of another: neither torchvision nor timm can be imported."""
    if not (_version("torch") and _version("torchvision")):
        return
    code, _, complaint = _run("import torchvision, timm")
    if code == 0:
        yield Finding("import timm", "fine", "torch, torchvision and timm fit together")
    else:
        yield Finding("import timm", "broken", complaint, _torchvision_fix(complaint))


def _torchvision_fix(complaint: str) -> str:
    if "torchvision::nms does not exist" not in complaint:
        return "pip install --force-reinstall torchvision timm"
    return (
        "torch and torchvision come from different indexes (a CPU build of torch, the registry's torchvision): install both from one, "
        "such as pip install --force-reinstall torch torchvision --index-url https://download.pytorch.org/whl/cpu"
    )


def _run(program: str) -> tuple[int, str, str]:
    """Exit code, stdout and the last line of stderr of a Python program."""
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, "", f"no answer after {SECONDS} s"
    lines = done.stderr.strip().splitlines()
    return done.returncode, done.stdout, lines[-1] if lines else f"the process ended with code {done.returncode}"


def _presets() -> Finding:
    folder, names = preset_folder(), preset_names()
    if names:
        return Finding("presets", "fine", f"{len(names)} in {folder}")
    return Finding("presets", "broken", f"none in {folder}", "pip install --force-reinstall convlab")


def _settings() -> Iterator[Finding]:
    for kind, path in (("project file", project_file()), ("user file", user_file())):
        there = path is not None and path.is_file()
        yield Finding(kind, "fine", str(path) if there else f"none{'' if path is None else f' (would be {path})'}")
    try:
        read_settings()
    except ConvlabError as error:
        for problem in error.problems:
            where = f"{problem.place.file}:{problem.place.line}: " if problem.place else ""
            yield Finding("settings", "broken", where + problem.message, problem.help or "convlab config")
    for name in unknown_variables():
        yield Finding("environment", "note", f"{name} is no setting of convlab")
