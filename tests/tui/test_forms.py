"""Forms: the command lines that their values come to, what they refuse, and the dialogs by keyboard and mouse."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from textual.app import App
from textual.geometry import Region
from textual.widgets import Button, Static

import convlab.tui
from convlab import load
from convlab.errors import ConvlabError
from convlab.exports.formats import FORMATS
from convlab.language.knobs import changed, knobs_of
from convlab.settings import Settings
from convlab.tui.forms.control import Control
from convlab.tui.forms.form import Form
from convlab.tui.forms.kinds import FORMS, Export, Measure, Train
from convlab.tui.forms.lasting import FILE, recall_forms, remember_form
from convlab.tui.forms.marks import Mark
from convlab.tui.forms.order import Written, subjects
from convlab.tui.themes import DEFAULT, THEMES

PROBE = """
import json, sys
import convlab.tui.forms.form, convlab.tui.jobs
from convlab import load
from convlab.tui.forms.kinds import FORMS
from convlab.tui.forms.order import subjects

for form in FORMS:
    [form.suggestions(name) for name in ("recipe", "data", "against")]
    form().order(subjects(load("convnext_t")), form())
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""

TURNED = load("convnext_t", sets=("stages.2.depth=12",))
PRESET = load("convnext_t")
OTHER = load("resnet50")


def shown(asked, *designs, usual=None):
    chosen = designs or subjects(PRESET)
    return asked.order(chosen, usual or type(asked).usual(Settings())).shown


def test_what_is_as_usual_is_not_said():
    assert shown(Measure()) == "convlab bench convnext_t"
    assert shown(Train()) == "convlab train convnext_t"
    assert shown(Export()) == "convlab export convnext_t --to onnx"


def test_values_become_options():
    asked = Measure(
        task="training", device="cpu", batch=4, dtype="bfloat16", compile="compiled", seconds=2.5, against="timm:a b"
    )
    told = "--task training --device cpu --batch 4 --dtype bfloat16 --mode compiled --seconds 2.5 --against timm:a --against b"
    assert shown(asked) == f"convlab bench convnext_t {told}"
    assert shown(Measure(what="latency", folded=True)) == "convlab bench convnext_t --latency --folded"
    asked = Train(recipe="sprint", data="digits", epochs=0.5, batch=64, image=32, seeds=3, full_size=True)
    told = "--data digits --epochs 0.5 --batch 64 --image 32 --seeds 3 --full-size"
    assert shown(asked, *subjects(PRESET, pinned=[OTHER])) == f"convlab train convnext_t resnet50 {told}"
    order = Train(threads=2, against="resnet50 mine.toml").order(subjects(PRESET), Train())
    assert order.shown == "convlab train convnext_t --threads 2 --against resnet50 --against mine.toml"
    assert order.title == "sprint of convnext_t, resnet50, mine.toml"
    asked = Export(format="torch-export", file="my net.pt2", folded=True, weights="w.pth", overwrite=True)
    told = "--to torch-export --output 'my net.pt2' --folded --weights w.pth --force"
    assert shown(asked) == f"convlab export convnext_t {told}"


def test_settings_are_the_usual_values():
    usual = Measure.usual(Settings(device="cuda", dtype="bfloat16"))
    assert (usual.device, usual.dtype) == ("cuda", "bfloat16")
    assert shown(usual, usual=usual) == "convlab bench convnext_t"
    assert shown(Measure(device="cpu"), usual=usual) == "convlab bench convnext_t --device cpu --dtype float32"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Measure(what="sweep", batch=2), "sweep"),
        (Measure(what="latency", task="both"), "one task"),
        (Measure(what="layers", compile="compiled"), "layers"),
        (Measure(folded=True, task="training"), "folded"),
        (Train(epochs=1.0, samples=10), "budget"),
        (Train(recipe="sprnt"), "sprnt"),
        (Train(recipe=""), "recipe"),
        (Export(format="python", folded=True), "folded"),
    ],
)
def test_values_that_do_not_go_together_are_refused(asked, message):
    with pytest.raises(ConvlabError, match=message):
        shown(asked)


@pytest.mark.parametrize("form", FORMS)
def test_without_a_design_there_is_no_order(form):
    with pytest.raises(ConvlabError, match="no design"):
        form().order((), form())


@pytest.mark.parametrize("form", FORMS)
def test_last_values_fill_a_form_as_far_as_they_are_taken(form):
    usual = form()
    odd = {name: {"a": 1} for name in knobs_of(form)} | {"of tomorrow": 1}
    assert form.filled(odd, usual) == usual
    assert form.filled(usual.values(), usual) == usual
    assert Measure.filled({"batch": 0, "task": "training", "seconds": 3}, Measure()) == Measure(
        task="training", seconds=3.0
    )


def test_choices_are_those_of_the_shell():
    from convlab.measurement.running.conditions import DTYPES, MODES, TASKS

    assert knobs_of(Measure)["dtype"].choices == DTYPES
    assert knobs_of(Measure)["compile"].choices == MODES
    assert knobs_of(Measure)["task"].choices == (*TASKS, "both")
    assert knobs_of(Export)["format"].choices == tuple(FORMATS)
    for form in (Measure, Train):
        assert knobs_of(form)["device"].choices == knobs_of(Settings)["device"].choices
    folding = [name for name, each in FORMATS.items() if each.folds]
    for name in FORMATS:
        order = Export(format=name, folded=True)
        if name in folding:
            assert shown(order).endswith(f"--to {name} --folded")
        else:
            with pytest.raises(ConvlabError, match="folded"):
                shown(order)


def test_suggestions_are_what_there_is():
    assert "sprint" in Train.suggestions("recipe")
    assert {"digits", "procedural"} <= set(Train.suggestions("data"))
    assert "resnet50" in Measure.suggestions("against")
    assert "resnet50" in Train.suggestions("against")


def test_designs_have_words_and_names_of_their_own(tmp_path):
    again = load("convnext_t", sets=("stages.0.depth=1",))
    found = subjects(TURNED, baseline=PRESET, pinned=[OTHER, TURNED, again])
    assert [each.title for each in found] == ["as it is now", "baseline", "pinned 1", "pinned 3"]
    assert [each.name for each in found] == ["convnext_t-turned", "convnext_t", "resnet50", "convnext_t-turned-2"]
    assert [each.word for each in found[1:3]] == ["convnext_t", "resnet50"]
    order = Train().order(found, Train())
    argv = order.argv(tmp_path)
    # --set is of every design that is named, so that no command line turns two of them otherwise.
    assert order.shown == "convlab train convnext_t-turned.toml convnext_t resnet50 convnext_t-turned-2.toml"
    assert order.said == ()
    assert load(argv[2]) == TURNED
    assert load(argv[5]) == again
    (saved,) = subjects(TURNED, saved=Path("designs/mine.toml"))
    path = str(Path.cwd() / "designs" / "mine.toml")
    assert (saved.name, saved.word, saved.said) == ("mine", path, (path,))


def test_a_command_line_says_what_was_turned_of_a_file_or_preset_wherever_it_is_pasted(tmp_path):
    path = tmp_path / "my design.toml"
    path.write_text('base = "convnext_t"\n')
    opened = load(path)
    turned = load(path, sets=("stages.2.depth=12",))
    found = subjects(turned, baseline=opened, pinned=[OTHER], sources=[str(path)])
    assert [each.name for each in found] == ["my_design-turned", "my_design", "resnet50"]
    told = f"'{path}' --set stages.2.depth=12"
    assert shown(Train(), found[0]) == f"convlab train {told}"
    assert shown(Train(seeds=2), *found) == f"convlab train {told} --against '{path}' --against resnet50 --seeds 2"
    assert Measure(folded=True).order(found, Measure()).said == ()  # which folds nothing that is compared with
    order = Export().order(found[:1], Export())
    assert order.shown == f"convlab export {told} --to onnx"
    assert load(order.argv(tmp_path)[2]) == turned
    nowhere = subjects(changed(TURNED, {"name": "nobodys"}), sources=["nosuch.toml"])
    assert Train().order(nowhere, Train()).said == ()


def test_last_values_are_kept_on_disk(tmp_path):
    folder = tmp_path / "state"
    assert recall_forms(folder) == {}
    remember_form(folder, "bench", Measure(batch=4).values())
    remember_form(folder, "train", Train(seeds=2).values())
    kept = recall_forms(folder)
    assert Measure.filled(kept["bench"], Measure()) == Measure(batch=4)
    assert Train.filled(kept["train"], Train()) == Train(seeds=2)
    (folder / FILE).write_text("[" * 100_000)
    assert recall_forms(folder) == {}
    (folder / FILE).write_text('{"bench": 3}')
    assert recall_forms(folder) == {}
    (tmp_path / "file").touch()
    with pytest.raises(ConvlabError, match="cannot make the folder"):
        remember_form(tmp_path / "file" / "inner", "bench", {})


class Host(App):
    CSS_PATH = Path(convlab.tui.__file__).with_name("lab.tcss")

    def __init__(self, form):
        super().__init__()
        self.form = form
        self.answers = []

    def on_mount(self):
        self.register_theme(THEMES[DEFAULT])
        self.theme = DEFAULT
        self.push_screen(self.form, self.answers.append)

    def said(self, name):
        return str(self.screen.query_one(name, Static).render())


def test_a_form_by_keyboard():
    asyncio.run(_by_keyboard())


async def _by_keyboard():
    form = Form(Measure, subjects(TURNED, baseline=PRESET, pinned=[OTHER]), last={"seconds": 3.0, "batch": 8})
    app = Host(form)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen = Region(0, 0, 80, 24)
        assert all(screen.contains_region(widget.region) for widget in form.query("#command, #start, #cancel, #about"))
        assert app.said("#command") == "$ convlab bench convnext_t --set stages.2.depth=12 --batch 8 --seconds 3"
        await pilot.press("shift+tab", "space")  # the last design of the list
        await pilot.press("tab", "right", "down", "right")
        await pilot.pause()
        told = "convnext_t --set stages.2.depth=12 --against resnet50 --latency --task training"
        assert app.said("#command").startswith(f"$ convlab bench {told}")
        await pilot.press("down", "down", "0")  # what is typed takes the place of the last value
        await pilot.pause()
        assert form.query_one("#start", Button).disabled
        assert app.said("#refusal") == "batch is 1 to 1e6 images"
        assert "batch images a step" not in app.said("#command")
        await pilot.press("shift+tab", "ctrl+s")  # goes to what stands in the way
        assert app.answers == []
        assert form.focused.parent.knob.name == "batch"
        await pilot.press("backspace", "2")
        await pilot.pause()
        assert "empty: 8 on a CPU" in app.said("#about")
        await pilot.press("ctrl+s")
        await pilot.pause()
    (order,) = app.answers
    assert order.kind == "bench"
    assert order.words[-4:] == ("--batch", "2", "--seconds", "3")
    assert isinstance(order.words[2], Written)
    assert (order.values["batch"], order.values["what"], order.values["task"]) == (2, "latency", "training")


def test_a_form_by_mouse_and_left_without_an_answer():
    asyncio.run(_by_mouse())


async def _by_mouse():
    form = Form(Export, subjects(PRESET))
    app = Host(form)
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.pause()
        assert not form.query(".subject")
        mark = form.query_one("#knob-overwrite", Control).query_one(Mark)
        assert "X" not in str(mark.render())
        await pilot.click("#knob-overwrite Mark")
        await pilot.pause()
        assert "X" in str(mark.render())
        assert app.said("#command") == "$ convlab export convnext_t --to onnx --force"
        await pilot.click("#start")
        await pilot.pause()
        app.push_screen(Form(Train, subjects(PRESET)), app.answers.append)
        await pilot.pause()
        introduction = app.screen.query_one(".introduction", Static)
        assert "proxy" in str(introduction.render())
        screen = Region(0, 0, 60, 16)
        assert all(screen.contains_region(widget.region) for widget in (introduction, app.screen.query_one("#start")))
        await pilot.press("escape")
        await pilot.pause()
    assert [order and order.shown for order in app.answers] == ["convlab export convnext_t --to onnx --force", None]


def test_forms_and_jobs_import_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, check=True)
    assert set(json.loads(done.stdout)) & {"torch", "timm", "plotly", "sqlalchemy", "typer"} == set()
