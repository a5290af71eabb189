"""Throughput, under one setting or under all: measured, stored meanwhile, printed."""

from __future__ import annotations

from convlab.cli.bench_request import Request
from convlab.cli.bench_run import Keeping, Measured, is_empty
from convlab.cli.live import watched
from convlab.cli.output import Output
from convlab.measurement.benchmarking import Benchmark, benchmark
from convlab.measurement.matrix import Matrix, matrix
from convlab.views.matrices import matrix_notes, matrix_table, measured_matrix, plain_matrix, rank_flips
from convlab.views.measurements import benchmark_notes, measured_how, parts_table, plain_benchmark, throughput_table

Facts = list[tuple[str, str]]


def throughput(output: Output, asked: Request, kept: Keeping) -> Measured:
    """Measure throughput; how it ended, and what prints it."""
    found: list[Benchmark] = []
    for conditions in asked.conditions:
        work = benchmark(
            asked.subjects, against=asked.against, conditions=conditions, protocol=asked.protocol, keep=kept.benchmarks
        )
        found.append(watched(output, work))
        if found[-1].stopped:
            break
    figures = any(row.step is not None for each in found for row in each.rows)
    return kept.measured(lambda: _print(output, asked, found, kept), stopped=found[-1].stopped, figures=figures)


def _print(output: Output, asked: Request, found: list[Benchmark], kept: Keeping) -> None:
    if output.as_json:
        plain = [plain_benchmark(each) for each in found]
        output.json({"run": kept.plain(), "stopped": found[-1].stopped, "benchmarks": plain})
    else:
        for number, each in enumerate(found):
            if number:
                output.text()
            if len(asked.conditions) > 1:
                output.heading(each.conditions.task)
            _show(output, each, kept.facts if each is found[-1] else [])
    output.notes([note for each in found for note in benchmark_notes(each)] + kept.notes)


def all_settings(output: Output, asked: Request, kept: Keeping) -> Measured:
    """Measure throughput under all settings; how it ended, and what prints it."""
    found: list[Matrix] = []
    for conditions in asked.conditions:
        work = matrix(
            asked.subjects,
            against=asked.against,
            conditions=conditions,
            protocol=asked.protocol,
            fixed=asked.fixed,
            keep=kept.benchmarks,
        )
        found.append(watched(output, work))
        if found[-1].stopped:
            break
    figures = any(row.step is not None for each in found for setting in each.settings for row in setting.rows)
    return kept.measured(
        lambda: _print_matrices(output, asked, found, kept), stopped=found[-1].stopped, figures=figures
    )


def _print_matrices(output: Output, asked: Request, found: list[Matrix], kept: Keeping) -> None:
    if output.as_json:
        plain = [plain_matrix(each) for each in found]
        output.json({"run": kept.plain(), "stopped": found[-1].stopped, "matrices": plain})
    else:
        for number, each in enumerate(found):
            if number:
                output.text()
            if len(asked.conditions) > 1:
                output.heading(asked.conditions[number].task)
            _show_matrix(output, each, kept.facts if each is found[-1] else [])
    output.notes([note for each in found for note in matrix_notes(each)] + kept.notes)


def _show(output: Output, found: Benchmark, facts: Facts) -> None:
    if is_empty(found):
        output.heading("stopped before the first round")
        output.text()
        output.facts(facts)
        return
    if found.stopped:
        output.heading("stopped: what was measured until then")
    output.table(throughput_table(found))
    output.text()
    parts = parts_table(found)
    if parts is not None:
        output.table(parts)
        output.text()
    output.facts([*measured_how(found), *facts])


def _show_matrix(output: Output, found: Matrix, facts: Facts) -> None:
    if found.stopped:
        output.heading(f"stopped in setting {len(found.settings)} of {found.planned}: what was measured until then")
    output.table(matrix_table(found), by_pairs=True)
    output.text()
    for sentence in rank_flips(found):
        output.text(sentence)
        output.text()
    output.facts([*measured_matrix(found), *facts])
