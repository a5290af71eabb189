"""Latency, times of layers and batch sweeps: measured, stored, printed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from convlab.cli.bench_request import Request
from convlab.cli.bench_run import Keeping, Measured
from convlab.cli.live import watched
from convlab.cli.output import Output
from convlab.measurement.batches import Sweep
from convlab.measurement.by_layer.gaps import Gap, gap
from convlab.measurement.by_layer.times import LayerTimes
from convlab.measurement.latency import Latency
from convlab.measurement.recording import latency_row, layer_rows, throughput_row
from convlab.measurement.surveys import Finding, Survey, latencies, layers, sweeps
from convlab.views.latencies import latency_notes, latency_table, plain_latency
from convlab.views.layer_times import OUTSIDE, gap_table, gap_words, layer_table, plain_gap, plain_layers, step_words
from convlab.views.measurements import survey_how, survey_notes
from convlab.views.sweeps import ONE_BY_ONE, knee_words, plain_sweep, sweep_table


def latency(output: Output, asked: Request, kept: Keeping) -> Measured:
    """Measure how long a caller waits; how it ended, and what prints it."""

    def put(given: Finding[Latency]) -> None:
        if kept.recorder is not None:
            kept.recorder.put(given.position, latency_row(given.subject, given.found, given.around))

    (conditions,) = asked.conditions
    subjects = (*asked.subjects, *asked.against)
    found = watched(output, latencies(subjects, conditions=conditions, protocol=asked.protocol, put=put))
    return kept.measured(
        lambda: _print_latencies(output, found, kept), stopped=found.stopped, figures=bool(found.found)
    )


def _print_latencies(output: Output, found: Survey[Latency], kept: Keeping) -> None:
    if output.as_json:
        output.json(_plain(found, kept) | {"latencies": [plain_latency(*each) for each in found.found]})
    else:
        _heading(output, found)
        output.table(latency_table(found))
        output.text()
        output.facts([*survey_how(found), *kept.facts])
    output.notes([*survey_notes(found), *latency_notes(found), *kept.notes])


def by_layer(output: Output, asked: Request, kept: Keeping) -> Measured:
    """Measure layer by layer, and say which layers make the difference to the baseline; how it ended, and what prints it."""

    def put(given: Finding[LayerTimes]) -> None:
        if kept.recorder is not None:
            for number, row in enumerate(layer_rows(given.found, given.around)):
                kept.recorder.put((given.position, number), row)

    (conditions,) = asked.conditions
    subjects = (*asked.subjects, *asked.against)
    found = watched(output, layers(subjects, conditions=conditions, protocol=asked.protocol, put=put))
    return kept.measured(
        lambda: _print_layers(output, asked, found, kept), stopped=found.stopped, figures=bool(found.found)
    )


def _print_layers(output: Output, asked: Request, found: Survey[LayerTimes], kept: Keeping) -> None:
    timed = [times for _, times in found.found]
    gaps = _gaps(asked, timed)
    if output.as_json:
        plain = {"networks": [plain_layers(each) for each in timed], "gaps": [plain_gap(each) for each in gaps]}
        output.json(_plain(found, kept) | plain)
    else:
        _heading(output, found)
        # A peer is there for the gap: its layers have other names than the designs' and are in the store and in --json.
        for each in timed if not gaps else [each for each in timed if each.subject in asked.subjects]:
            output.heading(step_words(each))
            output.text()
            output.table(layer_table(each))
            output.text()
        for each_gap in gaps:
            _show_gap(output, each_gap)
        output.facts([*survey_how(found), ("outside layers", OUTSIDE), *kept.facts])
    output.notes([*survey_notes(found), *kept.notes])


def rising_batches(output: Output, asked: Request, kept: Keeping) -> Measured:
    """Measure throughput at rising batches, and say where the knee is; how it ended, and what prints it."""

    def put(given: Finding[Sweep]) -> None:
        if kept.recorder is not None:
            for row in given.found.rows:
                stored = throughput_row(row, given.around, stopped=given.found.stopped)
                kept.recorder.put((given.position, row.conditions.batch), stored)

    (conditions,) = asked.conditions
    subjects = (*asked.subjects, *asked.against)
    found = watched(output, sweeps(subjects, conditions=conditions, protocol=asked.protocol, put=put))
    return kept.measured(lambda: _print_sweeps(output, found, kept), stopped=found.stopped, figures=bool(found.found))


def _print_sweeps(output: Output, found: Survey[Sweep], kept: Keeping) -> None:
    if output.as_json:
        output.json(_plain(found, kept) | {"sweeps": [plain_sweep(*each) for each in found.found]})
    else:
        _heading(output, found)
        for subject, each in found.found:
            output.heading(knee_words(subject, each))
            output.text()
            output.table(sweep_table(each))
            output.text()
        turns = [("order", ONE_BY_ONE)] if len(found.found) > 1 else []
        output.facts([*survey_how(found, rising=True), *turns, *kept.facts])
    output.notes([*survey_notes(found), *kept.notes])


def _gaps(asked: Request, timed: list[LayerTimes]) -> list[Gap]:
    """The gap of every network to the baseline: the first of --against, or the first design."""
    baseline = (asked.against or asked.subjects)[0]
    base = next((each for each in timed if each.subject is baseline), None)
    return [] if base is None else [gap(each, base) for each in timed if each is not base]


def _show_gap(output: Output, found: Gap) -> None:
    output.heading(gap_words(found))
    output.text()
    if found.certain:
        output.table(gap_table(found))
        output.text()


def _heading(output: Output, found: Survey[Any]) -> None:
    if found.stopped:
        output.heading("stopped: what was measured until then")


def _plain(found: Survey[Any], kept: Keeping) -> dict[str, Any]:
    return {
        "run": kept.plain(),
        "stopped": found.stopped,
        "conditions": asdict(found.conditions),
        "environment": found.environment.to_json(),
        "disturbances": list(found.disturbances),
        "failures": [{"subject": subject.name, "why": why} for subject, why in found.failures],
    }
