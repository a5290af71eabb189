"""The notebooks: each is its source, stripped, short and without functions; each runs, offline and on a CPU."""

import ast
import importlib.util
import os
import time
from pathlib import Path

import jupytext
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
SOURCES = sorted((FOLDER / "src").glob("*.py"))
NAMES = [source.stem for source in SOURCES]

LONGEST_CELL = 25
LONGEST_RUN_S = 60.0


def pair():
    spec = importlib.util.spec_from_file_location("pair", FOLDER / "pair.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_seven_each_with_its_source():
    assert NAMES == [
        "1_first_design",
        "2_roadmap",
        "3_anatomy_of_cost",
        "4_receptive_field",
        "5_throughput",
        "6_proxy_training",
        "7_design_space",
    ]
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_its_source_and_holds_no_outputs(name):
    stored = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert stored == pair().written(FOLDER / "src" / f"{name}.py"), "run: python notebooks/pair.py"
    notebook = nbformat.reads(stored, as_version=4)
    source = jupytext.read(FOLDER / "src" / f"{name}.py")
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in source.cells]
    assert all(not cell.outputs and cell.execution_count is None for cell in code_of(notebook))


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_define_nothing(name):
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith(f"# {name[0]}. ")
    for cell in code_of(notebook):
        assert len(cell.source.splitlines()) <= LONGEST_CELL
        nodes = list(ast.walk(ast.parse(cell.source)))
        assert not [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs(name, tmp_path, monkeypatch):
    from nbclient import NotebookClient

    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "IPYTHONDIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # whoever asks the network fails
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    before = time.monotonic(), os.times()
    with _quiet():
        NotebookClient(
            notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
        ).execute()
    after = os.times()
    cpu_s = after.children_user + after.children_system - before[1].children_user - before[1].children_system
    assert cpu_s < LONGEST_RUN_S
    assert time.monotonic() - before[0] < 10 * LONGEST_RUN_S
    assert all(cell.execution_count for cell in code_of(notebook))


def _quiet():
    import warnings

    return warnings.catch_warnings(action="ignore")


def test_to_run_a_notebook_again_harms_no_file():
    saving = [line for source in SOURCES for line in source.read_text().splitlines() if ".save(" in line]
    assert saving
    assert all("numbered=True" in line for line in saving)
