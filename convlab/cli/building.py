"""The commands that make networks: build and verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from convlab.cli.options import (
    BatchSize,
    ChannelsLast,
    DesignName,
    Device,
    Dtype,
    Folded,
    Force,
    ImageSize,
    PredictThreads,
    Seed,
    Sets,
)
from convlab.cli.output import Output, command
from convlab.cli.weights import refuse_target

if TYPE_CHECKING:
    from convlab.costs import Profile

PANEL = "Build"

Save = Annotated[
    str | None,
    typer.Option(
        "--save", metavar="FILE", help="Write the initial weights: .safetensors, or .pth.", rich_help_panel="Run"
    ),
]


class Tried(NamedTuple):
    """What one forward of a fresh model gave."""

    device: str
    output: tuple[int, ...]
    finite: bool
    build_seconds: float
    forward_seconds: float


@command(PANEL, "convlab build convnext_t --device auto --batch 8")
def build(
    output: Output,
    design: DesignName,
    sets: Sets = None,
    image: ImageSize = None,
    batch: BatchSize = None,
    device: Device = None,
    dtype: Dtype = None,
    channels_last: ChannelsLast = None,
    seed: Seed = None,
    save: Save = None,
    force: Force = False,
    folded: Folded = False,
    threads: PredictThreads = None,
) -> None:
    """Build a design as a PyTorch model and run it once."""
    from convlab import costs
    from convlab.cli.arguments import BATCH, SEED, THREADS, design_of, number_of
    from convlab.views.cards import cards, plain_cards
    from convlab.views.costs import table
    from convlab.views.notes import notes, plain_notes
    from convlab.views.predictions import speeds

    settings = output.settings(device=device, dtype=dtype, channels_last=channels_last)
    images, start, cores = number_of(BATCH, batch), number_of(SEED, seed), number_of(THREADS, threads)
    if save is not None:
        refuse_target(Path(save), force)
    found = costs.profile(design_of(design, sets, image), folded=folded)
    tried = _try(found, settings, (images, start), save)
    predicted = speeds([found], settings, batch=None if batch is None else images, threads=cores)
    figures = cards(found, batch=images, dtype=settings.dtype) + predicted.cards[0]
    shown, told = table(found), notes(found)
    if output.as_json:
        run = {**tried._asdict(), "output": list(tried.output), "dtype": settings.dtype, "seed": start, "weights": save}
        run["folded"] = found.folded
        plain = {"cards": plain_cards(figures), "rows": shown.records(), "run": run, "notes": plain_notes(told)}
        plain |= {"predictions": predicted.plain[0]} if predicted.plain else {}
        output.json(
            {
                "design": found.design.name,
                "summary": found.design.summary,
                "batch": images,
                "sets": list(sets or ()),
                **plain,
            }
        )
    else:
        form = ", folded" if found.folded else ""
        output.heading(f"{found.design.name}{': ' if found.design.summary else ''}{found.design.summary}{form}")
        output.turned(sets)
        output.text()
        output.table(shown)
        output.text()
        output.cards(figures)
        output.text()
        output.text(_told(tried, settings, images))
        output.text(predicted.note)
        if save is not None:
            output.text(f"initial weights (seed {start}) written to {save}")
    output.notes(told)
    _refuse_infinite(tried)


@command(PANEL, "convlab verify convnext_t")
def verify(output: Output, design: DesignName, sets: Sets = None, image: ImageSize = None) -> None:
    """Set our counts beside those of torch, fvcore and torchinfo; exit code 1 where a difference is not explained."""
    from convlab import verification
    from convlab.cli.arguments import design_of
    from convlab.views.verification import counts, differences, plain_verification, verdict, versions

    found = verification.verify(design_of(design, sets, image))
    if output.as_json:
        output.json(plain_verification(found) | {"sets": list(sets or ())})
    else:
        shape = found.image
        output.heading(f"{found.design.name}, one image of {shape.channels}x{shape.height}x{shape.width}, at inference")
        output.turned(sets)
        output.text()
        output.table(counts(found))
        output.text()
        output.table(differences(found))
        output.text()
        output.text(f"{verdict(found)} ({versions(found)})")
    if not found.agrees:
        raise typer.Exit(1)


def _try(found: Profile, settings: Any, numbers: tuple[int, int], save: str | None) -> Tried:
    """Build, save, run once on random input. Raises ConvlabError where that cannot be done here."""
    from time import perf_counter

    import torch

    from convlab.models import build as build_model
    from convlab.models import fold
    from convlab.models.builder import available
    from convlab.models.memory import refuse_too_big

    batch, seed = numbers
    device, dtype = available(settings.device), getattr(torch, settings.dtype)
    refuse_too_big(found, device, dtype, batch)
    began = perf_counter()
    try:
        model = build_model(
            found.design, device=device, dtype=dtype, channels_last=settings.channels_last, seed=seed
        ).eval()
        if found.folded:
            model = fold(model)
        if save is not None:
            _save(model, save)
        built = perf_counter()
        shape = found.image
        images = torch.randn(batch, *shape, generator=torch.Generator().manual_seed(seed))
        layout = torch.channels_last if settings.channels_last else torch.contiguous_format
        with torch.inference_mode():
            scores = model(images.to(device, dtype, memory_format=layout))
            finite = bool(torch.isfinite(scores).all())
    except torch.OutOfMemoryError:
        raise _out_of_memory(str(device), batch) from None
    except RuntimeError as error:  # the allocator of the CPU has no exception of its own
        if "can't allocate memory" not in str(error) and "not enough memory" not in str(error):
            raise
        raise _out_of_memory(str(device), batch) from None
    name = f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
    return Tried(name, tuple(scores.shape), finite, built - began, perf_counter() - built)


def _save(model: Any, path: str) -> None:
    from convlab.weights.converting import write

    write(model.state_dict(), path, design=model.design, layout="convlab", folded=model.folded)


def _told(tried: Tried, settings: Any, batch: int) -> str:
    shape = "x".join(map(str, tried.output))
    values = "all finite" if tried.finite else "NOT finite"
    times = (
        f"built in {tried.build_seconds:.2f} s, one forward in {tried.forward_seconds:.2f} s (indicative, no benchmark)"
    )
    return f"{tried.device}, {settings.dtype}, batch {batch}: output {shape}, {values}; {times}"


def _out_of_memory(device: str, batch: int) -> Exception:
    from convlab.errors import ConvlabError, Problem

    message = f"{device} ran out of memory with a batch of {batch}"
    return ConvlabError(Problem("too-big", message, help="a smaller --batch, --image or design"), exit_code=3)


def _refuse_infinite(tried: Tried) -> None:
    from convlab.errors import ConvlabError, Problem

    if not tried.finite:
        help = "another --dtype, or look for a layer without a norm"
        raise ConvlabError(Problem("not-finite", "the output holds infinities or NaN", help=help), exit_code=3)
