"""``python -m convlab.timm SCRIPT``: scripts that know timm alone train and validate convlab's designs."""

import json
import math
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from designs import design_of

from convlab import save
from convlab.timm.__main__ import HELP, main

HERE = Path(__file__).parent
TINY = {"depths": [1, 2], "widths": [16, 32], "image": {"size": 32}, "head": {"classes": 6}, "drop_path": 0.1}


def run(*arguments, **options):
    command = [sys.executable, "-m", "convlab.timm", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.toml"
    save(design_of(TINY), path)
    return path


@pytest.fixture
def started(monkeypatch):
    """Runs the command in this process, and undoes what it does to sys."""

    def start(*arguments):
        monkeypatch.setattr(sys, "argv", ["convlab.timm", *map(str, arguments)])
        monkeypatch.setattr(sys, "path", [str(Path.cwd()), *sys.path[1:]])
        return main()

    return start


@pytest.mark.parametrize(
    "apart",
    [False, pytest.param(True, marks=pytest.mark.slow)],
    ids=["in this process", "in a process of its own"],
)
def test_a_script_on_a_design_of_ones_own(apart, tiny, started, capsys):
    arguments = (HERE / "train_as_timm_does.py", "--model", "convlab", "--model-kwargs", f"design={tiny}")
    if apart:
        done = run(*arguments, cwd=tiny.parent)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
    else:
        assert started(*arguments) == 0
        told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["neighbour"]) == ("__main__", "found")
    assert told["input_size"] == [3, 32, 32]
    assert all(math.isfinite(loss) for loss in told["losses"])
    assert told["scales"] == 5  # stem, three blocks, head


def test_the_package_is_run_as_a_module(monkeypatch, capsys):
    """As ``python -m convlab.timm`` does it."""
    monkeypatch.delitem(sys.modules, "convlab.timm.__main__")
    monkeypatch.setattr(sys, "argv", ["convlab.timm", "nowhere.py"])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_module("convlab.timm", run_name="__main__", alter_sys=True)
    assert 'error: there is no script "nowhere.py"' in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
@pytest.mark.parametrize(
    ("options", "size"),
    [
        (["--model", "convlab_convnext_atto", "--num-classes", "7", "--input-size", "3", "64", "64"], [3, 64, 64]),
        (
            [
                "--model",
                "convlab_resnet18",
                "--num-classes",
                "5",
                "--input-size",
                "3",
                "64",
                "64",
                "--grad-checkpointing",
            ],
            [3, 64, 64],
        ),
        (
            ["--model", "convlab_deit_s", "--num-classes", "5", "--input-size", "3", "48", "48", "--drop-path", "0.2"],
            [3, 48, 48],
        ),
        (
            [
                "--model",
                "convlab",
                "--model-kwargs",
                "design=convnext_v2_atto",
                "sets=['image.size=64']",
                "--torchscript",
            ],
            [3, 64, 64],
        ),
    ],
)
def test_training_and_validation(options, size, started, capsys):
    assert started(HERE / "train_as_timm_does.py", *options) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["input_size"] == size
    assert all(math.isfinite(loss) for loss in told["losses"])
    assert told["losses"][0] != told["losses"][1]


def test_arguments_and_folder_are_the_scripts(tmp_path, started, capsys):
    script = tmp_path / "tell.py"
    script.write_text(
        "import sys, timm\nprint(sys.argv[1:], sys.path[0], __file__, timm.is_model('convlab_convnext_t'))\n"
    )
    assert started(script, "--help", "x") == 0
    assert capsys.readouterr().out == f"['--help', 'x'] {tmp_path} {script} True\n"


def test_the_scripts_exit_code(tmp_path, started):
    script = tmp_path / "stop.py"
    script.write_text("raise SystemExit(7)\n")
    with pytest.raises(SystemExit, match="7"):
        started(script)


def test_a_design_that_is_wrong_is_told_without_a_traceback(tmp_path, started, capsys):
    script = tmp_path / "make.py"
    script.write_text("import timm\ntimm.create_model('convlab', design='convnxt_t')\n")
    assert started(script) == 2
    assert capsys.readouterr().err.startswith('error: there is no preset "convnxt_t"')


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: which script? none is given"),
        (["nowhere.py"], 'error: there is no script "nowhere.py"'),
        (["/tmp"], "no script"),
    ],
)
def test_without_a_script(arguments, message, started, capsys):
    assert started(*arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(option, started, capsys):
    assert started(option) == 0
    assert capsys.readouterr().out == HELP
