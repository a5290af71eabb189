"""Control groups of Linux: what a container or a service leaves of the machine's memory and processors to this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

WITHOUT_LIMIT = 2**60
"""The first version of control groups writes a number above this where there is no limit."""


def memory_limit(root: Path = Path("/")) -> int | None:
    """The most memory that this process's groups may use together, in bytes; None without a limit."""
    limits = [limit for limit, _ in _memory(root)]
    return min(limits, default=None)


def memory_left(root: Path = Path("/")) -> int | None:
    """What is left of it; a cache of files, which gives way, does not count as used."""
    left = [max(0, limit - used) for limit, used in _memory(root)]
    return min(left, default=None)


def cpu_quota(root: Path = Path("/")) -> float | None:
    """How many processors this process's groups may use at a time; None without a limit."""
    quotas = []
    for folder in _folders(root, "cpu"):
        pair = _text(folder / "cpu.max").split() or [
            _text(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period")
        ]
        if len(pair) == 2 and all(number.isdigit() for number in pair):
            quotas.append(int(pair[0]) / int(pair[1]))
    return min(quotas, default=None)


def held_back_seconds(root: Path = Path("/")) -> float | None:
    """For how long so far the quota has kept processors waiting, in all; None where nobody counts."""
    found = []
    for folder in _folders(root, "cpu"):
        counts = _counts(folder / "cpu.stat")
        found += [
            counts[key] * unit for key, unit in (("throttled_usec", 1e-6), ("throttled_time", 1e-9)) if key in counts
        ]
    return max(found, default=None)


def _memory(root: Path) -> Iterator[tuple[int, int]]:
    """Limit and use of every group that has a limit."""
    for folder in _folders(root, "memory"):
        for limited, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            limit, use = _text(folder / limited), _text(folder / used)
            if limit.isdigit() and use.isdigit() and int(limit) < WITHOUT_LIMIT:
                counts = _counts(folder / "memory.stat")
                cache = counts.get("total_inactive_file", counts.get("inactive_file", 0))
                yield int(limit), max(0, int(use) - cache)


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's group and of those around it, in both versions; a container sees its own as the outermost."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number != "0" and controller not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("" if number == "0" else controller)
        inner = top / path.lstrip("/")
        yield from (inner, *(folder for folder in inner.parents if folder.is_relative_to(top)))


def _counts(file: Path) -> dict[str, int]:
    pairs = (line.split() for line in _text(file).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
