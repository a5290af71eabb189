"""What nouns show of themselves: tables that read well as HTML and as text, names that are text, nothing heavy imported."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

import convlab
from convlab.notebook.pages import _PAGES, html_of, text_of
from convlab.views.costs import table


def test_a_profile_has_its_cards_and_its_table():
    profile = convlab.profile(convlab.load("convnext_t"))
    page, text = profile._repr_html_(), text_of(profile)
    for told in ("28.59 M", "stages.2", "2.172 G", "13.21 MiB"):
        assert told in page
        assert told in text
    lines = text.splitlines()
    header = next(line for line in lines if line.startswith("path"))
    stage = next(line for line in lines if line.startswith("stages.0"))
    assert header.index("params") + len("params") == stage.index("237.9 k") + len("237.9 k")


def test_a_design_tells_what_it_is_and_folds_its_toml_away():
    design = convlab.load("convnext_t")
    assert "4 stages of 3, 3, 9, 3 blocks" in text_of(design)
    assert "depths" not in text_of(design)
    assert "depths = [3, 3, 9, 3]" in design._repr_html_()


def test_a_space_and_its_sample():
    space = convlab.load_space("spaces/convnext_sizes")
    sample = convlab.sample(space, 12)
    assert "69,565,626,900,000" in text_of(space)
    assert "52,360" in html_of(space)
    assert "12 of 2,952 drawn" in html_of(sample)
    assert str(sample.population.indices[0]) in text_of(sample.population)


def test_a_name_is_text():
    design = convlab.turn(convlab.load("convnext_t"), "summary", "<script>alert(1)</script>")
    page = html_of(design) + html_of(convlab.profile(design))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_ipython_shows_both():
    from IPython.core.formatters import DisplayFormatter

    found, _ = DisplayFormatter().format(table(convlab.profile(convlab.load("resnet18"))))
    assert found["text/html"].startswith("<div")
    assert found["text/plain"].startswith("path")


def test_every_page_belongs_to_a_class_that_shows_it():
    from importlib import import_module

    for name in _PAGES:
        module, _, kind = name.rpartition(".")
        shown = getattr(import_module(module), kind)
        assert callable(shown._repr_html_), name
        assert callable(shown._repr_pretty_), name


def test_a_run():
    from convlab.runs import Run

    moment = datetime(2026, 1, 1, tzinfo=UTC)
    given = dict.fromkeys(Run.__dataclass_fields__) | {
        "id": "20260101-000000-abcdef",
        "kind": "benchmark",
        "name": "resnet18",
    }
    given |= {
        "status": "complete",
        "started": moment,
        "finished": moment,
        "command": "convlab bench resnet18",
        "rows": 1,
        "settings": {},
    }
    assert "convlab bench resnet18" in text_of(Run(**given))
    assert "20260101-000000-abcdef" in html_of(Run(**given))


@pytest.mark.parametrize("noun", ["convlab.load('convnext_t')", "convlab.profile(convlab.load('convnext_t'))"])
def test_a_page_imports_neither_plotly_nor_widgets_nor_torch(noun):
    heavy = ("torch", "plotly", "ipywidgets", "numpy", "IPython")
    code = f"import convlab, sys; {noun}._repr_html_(); print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
