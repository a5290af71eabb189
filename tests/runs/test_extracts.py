"""Exported files hold what the store holds, each format by its own reader, and are there whole or not at all."""

from __future__ import annotations

import csv
import json

import pyarrow
import pytest
from pyarrow import parquet

import convlab
from convlab.errors import ConvlabError
from convlab.runs import ResolvedDesign
from convlab.runs.exporting import COLUMNS
from convlab.runs.records import CONDITIONS


@pytest.fixture
def filled(store, row):
    """A store with a run of two rows, and one without any."""
    with store.begin("benchmark", name='first, "quoted"\nname', environment={"cpu": "x"}) as run:
        run.put(
            0, row(0.1, design=ResolvedDesign.of(convlab.load("convnext_t")), batch=8, details={"samples": [0.1, 0.3]})
        )
        run.put(1, row(None, subject="timm:x", details={"failure": "out of memory"}))
    with store.begin("training"):
        pass
    return store


def test_csv(filled, tmp_path):
    filled.export(tmp_path / "a.csv", filled.runs(), to="csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["subject"] for line in lines] == ["convnext_t", "timm:x"]
    assert list(lines[0]) == list(COLUMNS)
    assert set(CONDITIONS) <= set(COLUMNS)
    assert (float(lines[0]["median"]), lines[0]["batch"], lines[1]["median"]) == (0.1, "8", "")
    assert lines[0]["run_name"] == 'first, "quoted"\nname'
    assert lines[0]["design_key"] == convlab.load("convnext_t").key
    assert json.loads(lines[1]["details"]) == {"failure": "out of memory"}


def test_parquet(filled, tmp_path):
    filled.export(tmp_path / "a.parquet", filled.runs(), to="parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column("median").to_pylist() == [0.1, None]
    assert table.schema.field("started").type == pyarrow.timestamp("us", "UTC")
    assert table.column("started")[0].as_py() == filled.runs()[1].started
    assert table.column_names == list(COLUMNS)
    filled.export(tmp_path / "none.parquet", (), to="parquet")
    assert parquet.read_table(tmp_path / "none.parquet").schema == table.schema


def test_json_has_everything(filled, tmp_path):
    filled.export(tmp_path / "a.json", filled.runs(), to="json")
    found = json.loads((tmp_path / "a.json").read_text())
    training, benchmark = found["runs"]
    assert (training["rows"], training["status"]) == ([], "complete")
    row = benchmark["rows"][0]
    design = found["designs"][row["design"]]
    assert convlab.load("convnext_t") == ResolvedDesign(**design).load("convnext_t")
    assert found["environments"][benchmark["environment"]] == {"cpu": "x"}
    assert row["details"] == {"samples": [0.1, 0.3]}


def test_where_it_cannot_be_written_what_was_there_stays(filled, tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(ConvlabError, match="cannot write"):
        filled.export(tmp_path / "a.csv", filled.runs(), to="csv")
    assert [path.name for path in tmp_path.iterdir() if "sqlite" not in path.name] == ["a.csv"]
