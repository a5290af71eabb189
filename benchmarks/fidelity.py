"""Does a sprint rank designs as a longer training does? Kendall's tau between both, with its interval, beside the baselines.

Run: python benchmarks/fidelity.py [--minutes N] [--resume] [--recipe sprint] [--against run] [--zero-cost] [--only NAME ...]
Every training is kept in benchmarks/results/fidelity.json as it ends; a run that was stopped goes on with --resume.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import torch
from fidelity_variants import costs, designs, grad_norm
from interleaved import RESULTS
from proxy_members import Member, rows, train_missing, write_rows

from convlab.models.builder import available
from convlab.training.data.registry import dataset
from convlab.training.proxies.shrinking import DataFacts, Shrunk, shrunk_together
from convlab.training.recipes.named import changed, recipe
from convlab.training.recipes.recipe import Recipe
from convlab.training.verdicts.correlations import agreement
from convlab.training.verdicts.ranking import Ranking, Score, ranked

Row = dict[str, Any]


def main() -> None:
    """Train what is missing, compare, print a table, write JSON."""
    options = _options()
    torch.set_num_threads(options.threads or torch.get_num_threads())
    device = str(available(options.device))
    data = dataset(options.data)
    short, long = (_budget(name, options.samples) for name in (options.recipe, options.against))
    # All of them together, also where some are asked for: how small a variant is made depends on the others.
    made = shrunk_together(list(designs().values()), DataFacts.of(data), recipe=short, device=device)
    shrunk = {name: one for name, one in zip(designs(), made, strict=True) if name in (options.only or designs())}
    if not options.resume and (RESULTS / f"{options.write}.json").exists():
        raise SystemExit(
            f"{options.write}.json is there: --resume goes on with it; or move it away, or --write another"
        )
    members = [
        *(Member(name, one.design, short, seed) for seed in range(options.seeds) for name, one in shrunk.items()),
        *(Member(name, one.design, long, seed) for seed in range(options.long_seeds) for name, one in shrunk.items()),
    ]
    found = train_missing(options.write, members, data, device=device, minutes=options.minutes, jobs=options.jobs)
    print(f"{len(found)} of {len(members)} trainings are there")
    table = [_line(name, one, (short, long), found, members) for name, one in shrunk.items()]
    if options.zero_cost:
        for line in table:
            line["grad_norm"] = grad_norm(shrunk[line["name"]].design, data, short, seed=0)
    complete = [line for line in table if line["short_loss_of_seeds"] and line["long_loss_of_seeds"]]
    groups = {used.name: _ranking(used, found, members).groups for used in (short, long)}
    taus = _taus(complete)
    apart = _told_apart(complete, groups[short.name])
    _print(table, taus)
    for name, tied in groups.items():
        print(f"tie groups of {name}: {' | '.join(' = '.join(group) for group in tied) or 'none, for a single seed'}")
    print(f"pairs that {short.name} tells apart: {apart['agree']} of {apart['pairs']} are in the order of {long.name}")
    report = {"data": data.name, "recipes": [short.name, long.name], "table": table, "tau": taus, "tie_groups": groups}
    report["told_apart"] = apart
    print(write_rows(options.write, rows(options.write), device, **report))


def _budget(name: str, samples: int) -> Recipe:
    """The recipe; with another budget where the benchmark itself is tried out."""
    return changed(recipe(name), {"samples": samples * (4 if name == "run" else 1)}) if samples else recipe(name)


def _line(name: str, one: Shrunk, recipes: tuple[Recipe, Recipe], found: dict[str, Row], members: list[Member]) -> Row:
    """What is known of a variant: means over the seeds that are finished, and the losses seed by seed."""
    line: Row = {"name": name, **costs(one.design), "depths": one.design.depths, "widths": one.design.widths}
    for word, used in zip(("short", "long"), recipes, strict=True):
        kept = [found[each.key] for each in members if (each.name, each.recipe) == (name, used) and each.key in found]
        for figure, worst in (("loss", math.inf), ("accuracy", 0.0)):
            # A training that diverged is the worst there is: to leave it out would flatter whoever promised something else.
            values = [worst if row["failure"] else row[f"validation_{figure}"] for row in kept]
            line[f"{word}_{figure}"] = statistics.fmean(values) if values else None
            line[f"{word}_{figure}_of_seeds"] = values
    return line


def _taus(complete: list[Row]) -> dict[str, Row]:
    """Kendall's tau of every way to rank the variants with the longer training, by cross-entropy; 1: in one order."""
    if len(complete) < 3:
        return {}
    truth = [-line["long_loss"] for line in complete]
    ways = {
        "sprint": [-line["short_loss"] for line in complete],
        "sprint, one seed": [-line["short_loss_of_seeds"][0] for line in complete],
        "params": [line["params"] for line in complete],
        "MACs": [line["macs"] for line in complete],
    }
    if all("grad_norm" in line for line in complete):
        ways["grad_norm"] = [line["grad_norm"] for line in complete]
    return {name: _tau(scores, truth) for name, scores in ways.items()}


def _told_apart(complete: list[Row], groups: Sequence[Sequence[str]]) -> dict[str, int]:
    """Of the pairs that the short training does not call a tie, how many the longer one puts in the same order."""
    pairs = [
        (one, other)
        for one, other in combinations(complete, 2)
        if not any({one["name"], other["name"]} <= {*group} for group in groups)
    ]
    agree = [
        (one["short_loss"] < other["short_loss"]) == (one["long_loss"] < other["long_loss"]) for one, other in pairs
    ]
    return {"pairs": len(pairs), "agree": sum(agree)}


def _tau(scores: list[float], truth: list[float]) -> Row:
    found = agreement(scores, truth)
    return {"tau": found.tau, "low": found.low, "high": found.high, "spearman": found.spearman, "n": found.n}


def _ranking(used: Recipe, found: dict[str, Row], members: list[Member]) -> Ranking:
    """The ranking that `convlab train` would print of these trainings, with its groups of ties."""
    rows = [(each, found[each.key]) for each in members if each.recipe == used and each.key in found]
    return ranked(
        [
            Score(each.name, each.seed, row["validation_loss"], row["validation_accuracy"])
            for each, row in rows
            if not row["failure"]
        ]
    )


def _print(table: list[Row], taus: dict[str, Row]) -> None:
    print(f"{'variant':36} {'MACs':>10} {'params':>9} {'short':>7} {'long':>7}  accuracy")
    order = sorted(table, key=lambda line: line["long_loss"] or line["short_loss"] or 9.0)
    for line in order:
        losses = [f"{line[f'{word}_loss']:7.4f}" if line[f"{word}_loss"] else "      -" for word in ("short", "long")]
        shares = [
            f"{line[f'{word}_accuracy']:.2%}" if line[f"{word}_accuracy"] is not None else "-"
            for word in ("short", "long")
        ]
        print(
            f"{line['name']:36} {line['macs']:10,.0f} {line['params']:9,.0f} {' '.join(losses)}  {' -> '.join(shares)}"
        )
    for name, found in taus.items():
        print(f"tau of {name}: {found['tau']:+.2f} [{found['low']:+.2f}, {found['high']:+.2f}], n = {found['n']}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="sprint", help="the short training")
    parser.add_argument("--against", default="run", help="the longer one")
    parser.add_argument("--seeds", type=int, default=2, help="of the short training")
    parser.add_argument("--long-seeds", type=int, default=2, help="of the longer one")
    parser.add_argument("--data", default="fashion_mnist")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="0: torch's own number")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at one time, of --threads threads each")
    parser.add_argument("--minutes", type=float, default=1e6, help="after so long it stops, and --resume goes on")
    parser.add_argument("--resume", action="store_true", help="go on with the JSON file that is there")
    parser.add_argument("--zero-cost", action="store_true", help="grad_norm beside the other baselines")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="some of the variants")
    parser.add_argument(
        "--samples", type=int, default=0, help="another budget, to try the benchmark out; run has four times it"
    )
    parser.add_argument("--write", default="fidelity", help="name of the JSON file under results/")
    return parser.parse_args()


if __name__ == "__main__":
    main()
