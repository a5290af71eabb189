"""The command that writes what there is to say of designs onto one page: report."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convlab.cli.analysis import DesignNames
from convlab.cli.options import Force, ImageSize, PredictThreads, SetsOfEach, out_option
from convlab.cli.output import Output, command
from convlab.cli.stores import At

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from convlab.runs.store import Store

PANEL = "Analyse"
PAGE = "report.html"

Out = Annotated[str | None, out_option("FILE", f"Where to; {PAGE} here by default, stdout with --md.")]
Markdown = Annotated[bool, typer.Option("--md", help="Markdown for a README or a pull request, without charts.")]
NoStore = Annotated[
    bool,
    typer.Option("--no-store", help="Leave measurements and trainings out.", rich_help_panel="Store"),
]


@command(PANEL, "convlab report resnet50 convnext_t -o report.html")
def report(
    output: Output,
    designs: DesignNames,
    out: Out = None,
    md: Markdown = False,
    force: Force = False,
    sets: SetsOfEach = None,
    image: ImageSize = None,
    threads: PredictThreads = None,
    store: At = None,
    no_store: NoStore = False,
) -> None:
    """Write one page about designs: costs, charts, differences, runs.

    The page holds everything it shows and asks the network for nothing. Measurements and trainings are those of the store.
    """
    from pathlib import Path

    from convlab.cli.arguments import THREADS, design_of, number_of
    from convlab.cli.stores import usage
    from convlab.costs import profile
    from convlab.exports.targets import Target
    from convlab.language.files import write_whole
    from convlab.report import Asked, contents, markdown, page

    if store is not None and no_store:
        raise usage("--store names a store and --no-store leaves it out", "leave one of them out")
    target = None if md and out is None else Path(out or PAGE)
    if target is not None:
        Target(target, force).refuse_occupied_file()
    cores = number_of(THREADS, threads)
    profiles = [profile(design_of(name, sets, image)) for name in designs]
    with _opened(store, no_store) as kept:
        asked = Asked(
            profiles=profiles,
            settings=output.settings(),
            store=kept,
            threads=cores,
            sets=tuple(sets or ()),
            command=_command(designs, sets, image),
        )
        found = contents(asked)
        written = markdown(found) if md else page(found)
    if target is not None:
        write_whole(target, written.encode())
    _told(output, asked.names, target, written, "markdown" if md else "html")


def _opened(where: str | None, left_out: bool) -> AbstractContextManager[Store | None]:
    """The store, where there is one: none is made for want of one."""
    from pathlib import Path

    from convlab.cli.stores import opened
    from convlab.runs.address import address_of

    if left_out:
        return nullcontext()
    address = address_of(where)
    if where is None and isinstance(address, Path) and not address.exists():
        return nullcontext()
    return opened(where)


def _command(designs: list[str], sets: list[str] | None, image: str | None) -> str:
    """How to make the report again."""
    import shlex

    turned = [word for each in sets or () for word in ("--set", each)]
    return shlex.join(["convlab", "report", *designs, *turned, *(("--image", image) if image else ())])


def _told(output: Output, names: list[str], target: Any, written: str, form: str) -> None:
    from convlab import units

    bytes = len(written.encode())
    if output.as_json:
        about: dict[str, Any] = {"path": None if target is None else str(target), "format": form, "bytes": bytes}
        output.json({"designs": names, **about, **({"markdown": written} if target is None else {})})
    elif target is None:
        print(written, end="")
    else:
        output.text(f"report of {', '.join(names)} written to {target}, {units.size(bytes)}")
