"""Charts as pictures: drawn by a browser without a window (chromium, Chrome, Edge), else by kaleido where that is installed."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote_to_bytes

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from convlab.errors import ConvlabError, Problem

PICTURES = ("svg", "png", "pdf")

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
VARIABLE = "BROWSER_PATH"
"""Names a browser that stands elsewhere; kaleido reads the same."""

PATIENCE_S = 120
WIDTH, HEIGHT = 900, 520
"""Px of a figure that says no size."""
HELP = (
    "install chromium (apt install chromium) or Chrome, name one by BROWSER_PATH=..., or `pip install kaleido` and "
    "`plotly_get_chrome`; .html and .json need none of them"
)
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--virtual-time-budget=60000",
)

PAGE = """<!doctype html><html><head><meta charset="utf-8"><style>
@page {{ size: {width}px {height}px; margin: 0 }} body {{ margin: 0 }} img {{ display: block }}
</style></head><body><div id="chart"></div><script>{library}</script><script>
const figure = {figure};
Plotly.newPlot("chart", figure.data, figure.layout, {{staticPlot: true}})
  .then(chart => Plotly.toImage(chart, {{format: "{form}", width: {width}, height: {height}, scale: {scale}}}))
  .then(address => {{
    document.body.replaceChildren();
    if ({shown}) {{ const image = new Image(); image.src = address; document.body.append(image); }}
    else document.body.append("[[" + address + "]]");
  }}, error => document.body.replaceChildren("[[error:" + error + "]]"));
</script></body></html>"""


def picture(figure: go.Figure, form: str, scale: float) -> bytes:
    """A figure as SVG, PNG or PDF. Raises ConvlabError where nothing draws it."""
    browser = browser_path()
    if browser is not None:
        return _drawn(browser, figure, form, scale)
    if find_spec("kaleido") is not None:
        return _by_kaleido(figure, form, scale)
    raise _refused(f"to draw a chart as {form.upper()} takes a browser or kaleido, and neither is here")


def browser_path() -> str | None:
    """The browser that draws: the one that BROWSER_PATH names, else the first that is found."""
    named = os.environ.get(VARIABLE)
    return shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)


def _drawn(browser: str, figure: go.Figure, form: str, scale: float) -> bytes:
    with tempfile.TemporaryDirectory(prefix="convlab-chart-", ignore_cleanup_errors=True) as folder:
        page, target = Path(folder, "chart.html"), Path(folder, "chart.pdf")
        page.write_text(_page(figure, form, scale), encoding="utf-8")
        wanted = ["--dump-dom"] if form != "pdf" else ["--no-pdf-header-footer", f"--print-to-pdf={target}"]
        written = _run([browser, *FLAGS, *_sandbox(), f"--user-data-dir={folder}/profile", *wanted, page.as_uri()])
        if form == "pdf":
            if not target.is_file():
                raise _refused(f"the browser {browser} wrote no PDF")
            return target.read_bytes()
    return _content(written, browser)


def _page(figure: go.Figure, form: str, scale: float) -> str:
    # An embedded "</script>" would end the page's own; so would "<!--" change how it is read.
    return PAGE.format(
        library=get_plotlyjs(),
        figure=str(figure.to_json()).replace("<", "\\u003c"),
        form="png" if form == "png" else "svg",
        width=figure.layout.width or WIDTH,
        height=figure.layout.height or HEIGHT,
        scale=scale if form == "png" else 1,
        shown="true" if form == "pdf" else "false",
    )


def _sandbox() -> list[str]:
    """As root chromium runs without its sandbox only."""
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def _run(command: list[str]) -> str:
    try:
        found = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)
    except OSError as error:
        raise _refused(f"the browser {command[0]} could not be started: {error}") from None
    except subprocess.TimeoutExpired:
        raise _refused(f"the browser {command[0]} did not draw the chart within {PATIENCE_S} s") from None
    return found.stdout.decode(errors="replace")


def _content(written: str, browser: str) -> bytes:
    found = re.search(r"\[\[data:image/[a-z+]+(;base64)?,(.*?)\]\]", written, re.DOTALL)
    if found is None:
        trouble = re.search(r"\[\[error:(.*?)\]\]", written, re.DOTALL)
        raise _refused(f"the browser {browser} drew no chart" + (f": {trouble[1]}" if trouble else ""))
    return base64.b64decode(found[2]) if found[1] else unquote_to_bytes(found[2])


def _by_kaleido(figure: go.Figure, form: str, scale: float) -> bytes:
    try:
        return bytes(figure.to_image(format=form, scale=scale))
    except (RuntimeError, ValueError, OSError) as error:
        raise _refused(f"kaleido did not draw the chart: {str(error).strip().splitlines()[0]}") from None


def _refused(message: str) -> ConvlabError:
    return ConvlabError(Problem("not-drawn", message, help=HELP))
