"""Makes the pictures of the lab under docs/images from the lab itself. Run: python docs/screenshots.py [--svg FOLDER] [NAME ...]

Each scene drives the app by its keys, and is drawn as SVG; chromium with the font Fira Code makes PNG of it, where it is installed.
The trainings of the scene of curves are real ones: they take a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from textual.pilot import Pilot

from convlab.session import opened_draft
from convlab.tui.app import LabApp
from convlab.tui.lab import Lab

IMAGES = Path(__file__).parent / "images"
BROWSER = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
)

BROKEN = """# what I try
base = "convnext_t"
depths = [3, 3, 12, 3]

[block]
kernel_sise = 9
activation = "gelo"
"""

Deeds = Callable[[LabApp, Pilot[None], Lab], Awaitable[None]]


class Scene(NamedTuple):
    """What is done before the picture is taken."""

    source: str
    deeds: Deeds
    size: tuple[int, int] = (120, 40)
    theme: str = "dark"


async def _edited(app: LabApp, pilot: Pilot[None], lab: Lab) -> None:
    lab.grid.select("stages.2.depth")
    await pilot.press("1", "2", "enter")
    lab.grid.select("stages.2.block.kernel_size")
    await pilot.press("plus")


async def _trained(app: LabApp, pilot: Pilot[None], lab: Lab) -> None:
    lab.grid.select("stages.0.block.norm")
    await pilot.press("p")
    lab.turn("stages.*.block.kernel_size", 3)
    await pilot.press("t")
    await pilot.pause()
    form = app.screen
    for name, value in (("data", "digits"), ("epochs", "12"), ("batch", "64")):
        form.query_one(f"#knob-{name} Input").value = value
    for box in form.query(".subject"):
        box.value = True
    await pilot.pause()
    await pilot.press("ctrl+s")

    def half_way() -> bool:
        (job,) = app.job_states
        return job.progress is not None and job.progress.done > 0.6 * (job.progress.total or math.inf)

    await _until(pilot, half_way)
    await pilot.pause(0.5)


async def _source(app: LabApp, pilot: Pilot[None], lab: Lab) -> None:
    await pilot.pause(0.4)


async def _walked(app: LabApp, pilot: Pilot[None], lab: Lab) -> None:
    for _ in range(5):
        await pilot.press("w")
    lab.panes.choose("walk")


async def _field(app: LabApp, pilot: Pilot[None], lab: Lab) -> None:
    lab.panes.choose("field")


async def _memory(app: LabApp, pilot: Pilot[None], lab: Lab) -> None:
    lab.panes.choose("memory")


async def _measure(app: LabApp, pilot: Pilot[None], lab: Lab) -> None:
    await pilot.press("plus", "m")


async def _help(app: LabApp, pilot: Pilot[None], lab: Lab) -> None:
    await pilot.press("question_mark")


SCENES = {
    "tui_lab": Scene("convnext_t", _edited),
    "tui_curves": Scene("convnext_atto", _trained, (160, 48)),
    "tui_source": Scene("mine.toml", _source, (120, 44)),
    "tui_walk": Scene("resnet50", _walked, (120, 48), "okabe-ito"),
    "tui_field": Scene("resnet50", _field, (120, 44), "light"),
    "tui_memory": Scene("efficientnet_b0", _memory, (120, 44)),
    "tui_measure": Scene("convnext_t", _measure, (80, 24), "ansi"),
    "tui_help": Scene("convnext_t", _help, (120, 44)),
}
"""The pictures by the names of their files."""


async def _until(pilot: Pilot[None], true: Callable[[], bool], patience_s: float = 600.0) -> None:
    waited = 0.0
    while not true():
        assert waited < patience_s, "what the scene waits for does not come"
        await pilot.pause(0.1)
        waited += 0.1


async def drawn(scene: Scene, folder: Path) -> str:
    """A scene as SVG."""
    app = LabApp(opened_draft(scene.source), folder=folder, theme=scene.theme)
    app.animation_level = "none"
    try:
        async with app.run_test(size=scene.size) as pilot:
            await pilot.pause()
            lab = app.screen
            assert isinstance(lab, Lab)
            await scene.deeds(app, pilot, lab)
            await pilot.pause(0.3)
            words = " ".join(["convlab tui", scene.source])
            return app.export_screenshot(title=words)
    finally:
        app.jobs.close()


def photographed(svg: str, target: Path) -> bool:
    """A PNG of an SVG, by a browser; whether there is one."""
    browser = next(filter(None, map(shutil.which, BROWSER)), None)
    if browser is None:
        return False
    width, height = (round(float(each)) for each in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())  # type: ignore[union-attr]
    local = re.sub(
        r',?\s*url\("https?://[^"]+"\) format\("[^"]+"\)', "", svg
    )  # the font is installed; nothing is fetched
    with tempfile.TemporaryDirectory() as folder:
        page, picture = Path(folder, "page.html"), Path(folder, "picture.png")
        style = f"<style>body {{ margin: 0 }} svg {{ width: {width}px; height: {height}px; display: block }}</style>"
        page.write_text(f"<!doctype html><meta charset=utf-8>{style}{local}", encoding="utf-8")
        size = (f"--window-size={width},{height}", f"--user-data-dir={folder}/profile", f"--screenshot={picture}")
        subprocess.run([browser, *FLAGS, *size, page.as_uri()], check=True, capture_output=True)
        with Image.open(picture) as image:
            image.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
                target, optimize=True
            )
    return True


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(SCENES), help=", ".join(SCENES))
    parser.add_argument("--svg", type=Path, help="a folder to keep the SVG files in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ |= dict.fromkeys(("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"), place)
        os.environ |= {"CONVLAB_STORE": f"{place}/runs.sqlite"}
        os.chdir(place)
        Path("mine.toml").write_text(BROKEN)
        for name in options.names:
            svg = asyncio.run(drawn(SCENES[name], Path(place)))
            if options.svg:
                (options.svg / f"{name}.svg").write_text(svg, encoding="utf-8")
            done = photographed(svg, IMAGES / f"{name}.png")
            print(name if done else f"{name}: no PNG, there is no chromium", flush=True)


if __name__ == "__main__":
    main()
