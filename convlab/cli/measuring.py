"""The command that measures: bench."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from convlab.cli.completion import complete_design, complete_mode, complete_task
from convlab.cli.options import (
    ChannelsLast,
    Device,
    Folded,
    ImageSize,
    MeasuredDtype,
    NoStore,
    SetsOfEach,
    StorePlace,
)
from convlab.cli.output import Output, command

if TYPE_CHECKING:
    from convlab.cli.bench_request import Request
    from convlab.cli.bench_run import Keeping, Measured

    Session = Callable[[Output, Request, Keeping], Measured]

PANEL = "Measure"
_HOW, _WHAT, _RUN = "How exactly", "What is measured", "Run"

SWEEP = (
    "Throughput at batch 1, 2, 4, ... up to 1024, and its knee: where more images bring less than 5 %. "
    "Takes each network about 4 times --seconds."
)

Networks = Annotated[
    list[str],
    typer.Argument(
        metavar="DESIGN...", help="Presets, TOML files, or networks as PACKAGE:NAME.", autocompletion=complete_design
    ),
]
Peers = Annotated[
    list[str] | None,
    typer.Option(
        "--against",
        metavar="NETWORK",
        help="The baseline: timm:NAME, torchvision:NAME, transformers:TYPE or a design; may be repeated.",
        rich_help_panel="Design",
        autocompletion=complete_design,
    ),
]
Task = Annotated[
    str,
    typer.Option(
        "--task",
        metavar="inference|training|both",
        help="What a step does.",
        rich_help_panel=_RUN,
        autocompletion=complete_task,
    ),
]
Batch = Annotated[
    str | None,
    typer.Option(
        "--batch", metavar="N", help="Images a step; by default 8 on a CPU, 128 elsewhere.", rich_help_panel=_RUN
    ),
]
Mode = Annotated[
    str | None,
    typer.Option(
        "--mode",
        metavar="eager|compiled|max-autotune",
        help="As it is, or through torch.compile.",
        rich_help_panel=_RUN,
        autocompletion=complete_mode,
    ),
]
Graphs = Annotated[
    bool | None,
    typer.Option("--cuda-graphs/--no-cuda-graphs", help="Record a step once and replay it.", rich_help_panel=_RUN),
]
Threads = Annotated[
    str | None, typer.Option("--threads", metavar="N", help="Threads of the CPU.", rich_help_panel=_RUN)
]
Seconds = Annotated[
    str | None, typer.Option("--seconds", metavar="S", help="For each network at most; 10.", rich_help_panel=_HOW)
]
Rounds = Annotated[
    str | None, typer.Option("--rounds", metavar="N", help="So many rounds, whatever they take.", rich_help_panel=_HOW)
]
Precision = Annotated[
    str | None,
    typer.Option(
        "--precision", metavar="PERCENT", help="Stop when all medians are known so exactly; 0.5.", rich_help_panel=_HOW
    ),
]
Latency = Annotated[
    bool,
    typer.Option("--latency", help="How long a caller waits: p50, p95, p99, at batch 1.", rich_help_panel=_WHAT),
]
Sweep = Annotated[bool, typer.Option("--sweep", help=SWEEP, rich_help_panel=_WHAT)]
Layers = Annotated[
    bool,
    typer.Option("--layers", help="Layer by layer; which layers make the gap to the baseline.", rich_help_panel=_WHAT),
]
Matrix = Annotated[
    bool,
    typer.Option(
        "--matrix", help="Every layout, mode, dtype and CUDA graphs; options above hold one.", rich_help_panel=_WHAT
    ),
]


@command(PANEL, "convlab bench convnext_t --against timm:convnext_tiny")
def bench(
    output: Output,
    designs: Networks,
    against: Peers = None,
    sets: SetsOfEach = None,
    image: ImageSize = None,
    folded: Folded = False,
    sweep: Sweep = False,
    latency: Latency = False,
    layers: Layers = False,
    matrix: Matrix = False,
    task: Task = "inference",
    batch: Batch = None,
    device: Device = None,
    dtype: MeasuredDtype = None,
    channels_last: ChannelsLast = None,
    mode: Mode = None,
    cuda_graphs: Graphs = None,
    threads: Threads = None,
    seconds: Seconds = None,
    rounds: Rounds = None,
    precision: Precision = None,
    store: StorePlace = None,
    no_store: NoStore = False,
) -> None:
    """Measure networks on this device in turn: throughput, step times, memory.

    All are measured without dropout and stochastic depth, with random weights drawn alike, so that like work is compared with like.
    """
    what = _one_of({"sweep": sweep, "latency": latency, "layers": layers, "matrix": matrix})
    kept: Keeping | None = None
    try:
        from convlab.cli.bench_request import Given, request
        from convlab.cli.bench_run import keeping
        from convlab.cli.live import begun

        given = Given(
            designs=designs,
            against=against or (),
            sets=sets or (),
            image=image,
            folded=folded,
            task=task,
            batch=batch,
            device=device,
            dtype=dtype,
            channels_last=channels_last,
            mode=mode,
            cuda_graphs=cuda_graphs,
            threads=threads,
            seconds=seconds,
            rounds=rounds,
            precision=precision,
        )
        asked = request(output, given, what)
        with keeping(store, asked, kind=what, stored=not no_store) as kept:
            begun(output, kept)
            measured = _session(what)(output, asked, kept)
    except KeyboardInterrupt:
        rows = 0 if kept is None or kept.recorder is None else kept.recorder.stored
        print(f"{rows} rows were stored" if rows else "nothing was measured, no row is stored", file=sys.stderr)
        raise
    if not output.as_json:
        output.turned(sets)
    measured.show()
    if measured.code:
        raise typer.Exit(measured.code)


def _one_of(asked: dict[str, bool]) -> str:
    """What is to be measured; throughput where no option says. Raises ConvlabError for several."""
    from convlab.errors import ConvlabError, Problem

    told = [name for name, wanted in asked.items() if wanted]
    if len(told) > 1:
        message = f"{' and '.join(f'--{name}' for name in told)} are measured in different ways"
        raise ConvlabError(Problem("usage", message, help="one of them at a time"), exit_code=2)
    return told[0] if told else "throughput"


def _session(what: str) -> Session:
    """What measures and prints it."""
    from convlab.cli import bench_sessions, bench_surveys

    return {
        "throughput": bench_sessions.throughput,
        "matrix": bench_sessions.all_settings,
        "sweep": bench_surveys.rising_batches,
        "latency": bench_surveys.latency,
        "layers": bench_surveys.by_layer,
    }[what]
