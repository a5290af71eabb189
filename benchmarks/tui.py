"""How quick the lab in a terminal is: to its first paint, from a key to the paint of what it changed, and in its static figures alone.
Run: python benchmarks/tui.py [--rounds N] [--edits N]"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Any

from interleaved import Times, shown, summary, surroundings, write

from convlab.costs import profile
from convlab.session import opened
from convlab.views.cards import cards
from convlab.views.grid import grid

PRESET = "convnext_t"
SIZE = (120, 40)
PACKAGES = ("convlab", "textual", "rich")
BUDGETS_S = {"first paint": 1.0, "edit to paint": 0.1, "static figures": 0.005}
DESIGNS = ("convnext_t", "resnet50", "swin_t", "efficientnet_b0", "regnety_4gf")
DEEP = [700, 800, 1000, 500]
"""Depths of a design of 3,000 blocks."""

_ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?<>=$]*[a-zA-Z]|[PX^_].*?\x1b\\|.)", re.DOTALL)


class Terminal:
    """The lab in a pseudo terminal: the keys that it is given, what it paints, and the CPU time that it took."""

    def __init__(self, folder: Path) -> None:
        self.process, self.screen = pty.fork()
        if self.process == 0:
            os.environ |= {"TERM": "xterm-256color", "XDG_STATE_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
            os.execv(sys.executable, [sys.executable, "-m", "convlab", "tui", PRESET])
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))

    def until(self, text: str, patience_s: float = 120.0) -> None:
        """Wait until something is painted."""
        painted, end = b"", time.monotonic() + patience_s
        while text.encode() not in _ESCAPES.sub(b"", painted):
            assert time.monotonic() < end, painted[-2000:]
            if select.select([self.screen], [], [], 1.0)[0]:
                painted += os.read(self.screen, 1 << 16)

    def settle(self, quiet_s: float = 0.3) -> None:
        """Wait until it paints nothing more."""
        while select.select([self.screen], [], [], quiet_s)[0]:
            os.read(self.screen, 1 << 16)

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self.screen, keys.encode())

    def cpu_s(self) -> float:
        """Seconds that all its threads have computed."""
        found = 0
        for task in Path(f"/proc/{self.process}/task").iterdir():
            found += int((task / "schedstat").read_text().split()[0])
        return found / 1e9

    def leave(self) -> None:
        """Leave without saving."""
        self.press("q")
        self.until("Unsaved")
        self.press("d")
        while True:
            try:
                if not os.read(self.screen, 1 << 16):
                    break
            except OSError:  # how Linux says that the other end is gone
                break
        os.close(self.screen)
        assert os.waitpid(self.process, 0)[1] == 0


def in_a_terminal(rounds: int, edits: int) -> Times:
    """CPU and wall seconds of first paints and of edits; every round is a process of its own."""
    times: Times = {f"{what}, {clock}": [] for what in ("first paint", "edit to paint") for clock in ("CPU", "wall")}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            terminal = Terminal(Path(folder))
            terminal.until("stages.0.depth = 3")
            times["first paint, CPU"].append(terminal.cpu_s())
            times["first paint, wall"].append(time.perf_counter() - began)
            terminal.settle()
            for number in range(edits):
                before, began = terminal.cpu_s(), time.perf_counter()
                terminal.press("+")
                terminal.until(f"stages.0.depth = {4 + number}")
                times["edit to paint, CPU"].append(terminal.cpu_s() - before)
                times["edit to paint, wall"].append(time.perf_counter() - began)
                terminal.settle()
            terminal.leave()
    return times


def static(edits: int) -> Times:
    """CPU seconds of everything that cards and grid say of a design with one knob turned that was never costed before."""
    sessions = {name: opened(name) for name in DESIGNS}
    sessions["3,000 blocks"] = opened(PRESET).turned("depths", DEEP)
    times: Times = {}
    for name, session in sessions.items():
        before = profile(session.design)
        times[f"figures of {name}"] = []
        depth = session.design.stages[1].depth
        for number in range(edits):
            design = session.turned("stages.1.depth", depth + 1 + number).design
            start = time.thread_time()
            found = profile(design)
            cards(found, before)
            grid(found, session.baseline)
            times[f"figures of {name}"].append(time.thread_time() - start)
    return times


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--edits", type=int, default=20)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    times = in_a_terminal(options.rounds, options.edits) | static(options.edits)
    found = {name: summary(seconds) for name, seconds in times.items()}
    for name, each in found.items():
        low, median, high = (shown(each[key]) for key in ("quartile_1_s", "median_s", "quartile_3_s"))
        print(f"{name:28} {median:>8} [{low}, {high}], n = {each['n']}")
    worst = max(each["median_s"] for name, each in found.items() if name.startswith("figures"))
    medians = {name: found[f"{name}, CPU"]["median_s"] for name in list(BUDGETS_S)[:2]} | {"static figures": worst}
    for name, budget in BUDGETS_S.items():
        print(f"{name}: {shown(medians[name])} of {shown(budget)}: {'kept' if medians[name] <= budget else 'MISSED'}")
    result: dict[str, Any] = {
        "surroundings": surroundings(PACKAGES),
        "terminal": SIZE,
        "preset": PRESET,
        "load at the beginning": load,
        "note": "CPU time of all threads; the wall times hang on what else the machine does, which the load tells",
        "budgets_s": BUDGETS_S,
        "seconds": found,
    }
    print(write("tui", result))


if __name__ == "__main__":
    main()
