"""The kinds of charts that the command draws: what each is drawn of, and by which options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from convlab.costs import Profile
    from convlab.runs.records import Row
    from convlab.spaces.populations import Population

MADE_BY = {"training": "training", "throughput": "benchmark"}
"""The kind of runs that have rows of a kind."""

MEMBERS = 500
"""Members of a space that are drawn where nothing else is said."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for, as text where it is still to be read."""

    names: tuple[str, ...]
    theme: str = "light"
    measure: str | None = None
    by: str = "stage"
    stage: int = 0
    x: str | None = None
    y: str | None = None
    data: str | None = None
    members: int = MEMBERS
    seed: int = 0
    sets: tuple[str, ...] = ()
    image: str | None = None
    store: str | None = None

    @property
    def profiles(self) -> list[Profile]:
        """The designs that are named, costed. Raises ConvlabError."""
        from convlab.cli.arguments import design_of
        from convlab.costs import profile

        return [profile(design_of(name, self.sets, self.image)) for name in self.names]

    def rows(self, kind: str) -> list[Row]:
        """The rows of a kind, of the runs that are named. Raises ConvlabError where they have none."""
        from convlab.cli.stores import opened, usage

        with opened(self.store) as kept:
            found = [row for name in self.names for row in kept.rows(name).values() if row.kind == kind]
        if not found:
            raise usage(
                f"there is no {kind} in {', '.join(self.names)}",
                f"convlab runs list --kind {MADE_BY[kind]} lists those that have one",
            )
        return found

    def population(self, metrics: Sequence[str]) -> Population:
        """Members of the space that is named, drawn by the seed. Raises ConvlabError."""
        from convlab.spaces.populations import sample
        from convlab.spaces.reading import load_space

        space = load_space(self.names[0], sets=self.sets)
        return sample(space, self.members, self.seed, metrics=tuple(dict.fromkeys(metrics))).population


@final
@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of chart: what its names are ("design", "space", "run"), how many it takes, the options it listens to, how it is drawn."""

    of: str
    least: int
    most: int | None
    options: tuple[str, ...]
    draw: Callable[[Request], go.Figure]


def _walk(asked: Request) -> go.Figure:
    from convlab import charts

    return charts.walk(asked.rows("training") if asked.names else None, theme=asked.theme)


def _published(asked: Request) -> go.Figure:
    from convlab import charts

    return charts.published(asked.data or "ImageNet-1K", theme=asked.theme)


def _costs(asked: Request) -> go.Figure:
    from convlab import charts

    return charts.costs(asked.profiles, measure=asked.measure or "macs", by=asked.by, theme=asked.theme)


def _cost_tree(asked: Request) -> go.Figure:
    from convlab import charts

    return charts.cost_tree(asked.profiles[0], measure=asked.measure or "macs", theme=asked.theme)


def _receptive_field(asked: Request) -> go.Figure:
    from convlab import charts

    return charts.receptive_field(asked.profiles, theme=asked.theme)


def _receptive_image(asked: Request) -> go.Figure:
    from convlab import charts

    return charts.receptive_image(asked.profiles[0], theme=asked.theme)


def _memory(asked: Request) -> go.Figure:
    from convlab import charts

    return charts.memory(asked.profiles, theme=asked.theme)


def _blocks(asked: Request) -> go.Figure:
    from convlab import charts

    return charts.blocks(asked.profiles, stage=asked.stage, theme=asked.theme)


def _waterfall(asked: Request) -> go.Figure:
    from convlab import charts

    return charts.waterfall(asked.profiles, measure=asked.measure or "macs", theme=asked.theme)


def _population(asked: Request) -> go.Figure:
    from convlab import charts

    x, y = asked.x or "macs", asked.y or "params"
    return charts.population(asked.population((x, y)), x=x, y=y, theme=asked.theme)


def _parallel(asked: Request) -> go.Figure:
    from convlab import charts

    color = asked.measure or "macs"
    return charts.parallel(asked.population((color, "macs", "params", "activations")), color=color, theme=asked.theme)


def _results(asked: Request) -> go.Figure:
    from convlab import charts
    from convlab.views.fronts import result_scatter

    return charts.scatter(result_scatter(asked.rows("training"), asked.x or "macs"), theme=asked.theme)


def _learning(asked: Request) -> go.Figure:
    from convlab import charts

    return charts.learning(asked.rows("training"), figure=asked.measure or "validation_accuracy", theme=asked.theme)


def _throughput(asked: Request) -> go.Figure:
    from convlab import charts

    return charts.throughput(asked.rows("throughput"), theme=asked.theme)


DESIGN = ("set", "image")
SPACE = ("set", "members", "seed")

KINDS: Mapping[str, Kind] = {
    "walk": Kind("run", 0, 1, ("store",), _walk),
    "published": Kind("design", 0, 0, ("data",), _published),
    "costs": Kind("design", 1, None, ("measure", "by", *DESIGN), _costs),
    "cost-tree": Kind("design", 1, 1, ("measure", *DESIGN), _cost_tree),
    "receptive-field": Kind("design", 1, None, DESIGN, _receptive_field),
    "receptive-image": Kind("design", 1, 1, DESIGN, _receptive_image),
    "memory": Kind("design", 1, None, DESIGN, _memory),
    "blocks": Kind("design", 1, None, ("stage", *DESIGN), _blocks),
    "waterfall": Kind("design", 0, None, ("measure", *DESIGN), _waterfall),
    "population": Kind("space", 1, 1, ("x", "y", *SPACE), _population),
    "parallel": Kind("space", 1, 1, ("measure", *SPACE), _parallel),
    "results": Kind("run", 1, None, ("x", "store"), _results),
    "learning": Kind("run", 1, None, ("measure", "store"), _learning),
    "throughput": Kind("run", 1, None, ("store",), _throughput),
}
