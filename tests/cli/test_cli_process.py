"""convlab as a process: what it imports, how it ends when the reader goes or Ctrl-C comes, what it draws on a terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "torchvision", "timm", "numpy", "textual", "plotly", "ipywidgets", "jsonschema", "fvcore")

PROBE = """
import json, sys
before = set(sys.modules)  # not ours: what the interpreter starts with, and coverage where it measures
from convlab.__main__ import main
code = main(sys.argv[1:])
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})), file=sys.stderr)
sys.exit(code)
"""

IN_TURN = """
import json, shlex, sys
before = set(sys.modules)
from convlab.__main__ import main
for line in sys.argv[1:]:
    try:
        code = main(shlex.split(line))
    except SystemExit as end:
        code = end.code or 0
    found = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
    print(json.dumps([line, code, found]), file=sys.stderr)
"""

SLOW = """
import sys, time
import convlab.costs
from convlab.__main__ import main

def profile(*_, **__):
    print("ready", file=sys.stderr, flush=True)
    time.sleep(60)

convlab.costs.profile = profile
sys.exit(main(sys.argv[1:]))
"""


def environment(**changes: str) -> dict[str, str]:
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CONVLAB_") and name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")
    }
    return plain | {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": "/nowhere", "XDG_DATA_HOME": "/nowhere"} | changes


def start(*arguments: str, **changes: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "convlab", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(**changes))


def modules(*arguments: str) -> set[str]:
    """What a command imports that succeeds."""
    return loaded(*arguments, check=True)


def loaded(*arguments: str, check: bool = False, **changes: str) -> set[str]:
    """What a command imports, whatever becomes of it."""
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(**changes), check=check)
    return set(json.loads(done.stderr.splitlines()[-1]))


def loaded_in_turn(*lines: str, **changes: str) -> dict[str, tuple[int, set[str]]]:
    """For each of these commands, one after the other in one process, its exit code and what is imported by its end."""
    command = [sys.executable, "-c", IN_TURN, *lines]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(**changes), check=True)
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert [line for line, _, _ in told] == list(lines)
    return {line: (code, set(found)) for line, code, found in told}


def test_analysis_imports_nothing_heavy() -> None:
    found = loaded_in_turn(
        "--help",
        "profile convnext_t --by layer --against resnet50",
        "compare convnext_t resnet50",
        "explain kernel_size",
        "explain convnext_t",
        "presets",
        "resolve convnext_t --json",
        "roadmap",
        "config",
        "schema",
        "space count spaces/kernel_study",
    )
    for line, (code, names) in found.items():
        assert (code, names & set(HEAVY)) == (0, set()), line


def test_the_version_needs_neither_typer_nor_rich() -> None:
    assert modules("--version") & {"typer", "rich", "tomllib", "dataclasses", *HEAVY} == set()


def test_json_needs_no_rich() -> None:
    assert "rich" not in modules("profile", "convnext_t", "--json")


def test_a_closed_pipe_is_quiet() -> None:
    with start("presets", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("line", ["--version", "profile convnext_atto"])
def test_a_full_disk_is_told(line: str) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "convlab", *line.split()]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment(), check=False)
    assert done.returncode == 1
    assert done.stderr == b"error: the output could not be written: no space left on device\n"


def test_ctrl_c_ends_with_130_and_no_traceback() -> None:
    command = [sys.executable, "-c", SLOW, "profile", "convnext_t"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate() == (b"", b"interrupted\n")
        assert process.returncode == 130


def test_piped_output_is_plain_and_whole() -> None:
    out, err = start("roadmap", COLUMNS="40").communicate()
    assert b"\x1b" not in out + err
    assert "block.pointwise linear; downsample.kind separate; head.norm layer_norm" in out.decode()


def test_colour_is_for_those_who_want_it() -> None:
    assert b"\x1b" in start("profile", "convnext_t", FORCE_COLOR="1").communicate()[0]
    assert b"\x1b" in start("profile", "convnext_t", "--color", "always").communicate()[0]
    assert b"\x1b" not in start("profile", "convnext_t", "--color=never", FORCE_COLOR="1").communicate()[0]
    assert b"\x1b" in start("profile", "convnext_t", CONVLAB_COLOR="always").communicate()[0]
    assert b"\x1b" in start("profile", "nope", FORCE_COLOR="1").communicate()[1]


def test_ascii_terminals_get_question_marks() -> None:
    out, _ = start("profile", "convnext_t", PYTHONIOENCODING="ascii").communicate()
    assert b"?" in out
    assert b"48.7 %" in out


def on_terminal(*arguments: str, columns: int = 80, **changes: str) -> str:
    """What convlab draws on a terminal of so many columns."""
    return drawn_by("-m", "convlab", *arguments, columns=columns, **changes)


def drawn_by(*arguments: str, columns: int = 80, **changes: str) -> str:
    """What Python draws on a terminal of so many columns."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execve(
            sys.executable,
            [sys.executable, *arguments],
            environment(**({"TERM": "xterm-256color", "COLUMNS": str(columns)} | changes)),
        )
    drawn = b""
    try:
        while chunk := os.read(descriptor, 65536):
            drawn += chunk
    except OSError:
        pass  # Linux says so when the other end has closed
    finally:
        os.close(descriptor)
        os.waitpid(pid, 0)
    return drawn.decode().replace("\r\n", "\n")


DRAWN = (
    "profile convnext_t --against resnet50",
    "profile resnet50 --by layer",
    "roadmap",
    "presets",
    "compare resnet50 convnext_t convnext_s convnext_v2_t",
    "explain custom",
    "space count spaces/regnet_x",
)

IN_TURN_ON_A_TERMINAL = """
import sys
from convlab.__main__ import main
for line in sys.argv[1:]:
    print("= " + line)
    print("= ended with", main(line.split()))
"""


def test_tables_fit_a_terminal() -> None:
    """One after the other in one process."""
    drawn = drawn_by("-c", IN_TURN_ON_A_TERMINAL, *DRAWN, NO_COLOR="1")
    assert "\x1b" not in drawn
    for line in DRAWN:
        table = drawn.partition(f"= {line}\n")[2].partition("= ended with 0\n")[0].splitlines()
        assert len(table) > 5, line
        assert max(map(len, table)) <= 80, line
        assert not {row.strip() for row in table} & {"k", "M", "G", "px", "MiB"}, line


def test_many_designs_are_compared_two_at_a_time() -> None:
    drawn = on_terminal("compare", "resnet50", "convnext_t", "convnext_s", "convnext_v2_t", NO_COLOR="1")
    heads = [line.split()[1:] for line in drawn.splitlines() if line.startswith("figure")]
    assert heads == [["resnet50", "convnext_t"], ["convnext_s", "convnext_v2_t"]]
    assert "50.22 M ▲ +96.5 %" in drawn


def test_a_terminal_gets_colour_and_panels() -> None:
    assert "\x1b[1m" in on_terminal("profile", "convnext_t")
    assert "╭" in on_terminal("--help")
    assert "\x1b" not in on_terminal("profile", "convnext_t", TERM="dumb")
    assert "╭" not in on_terminal("--help", TERM="dumb")


def test_a_wide_terminal_gets_all_columns() -> None:
    assert "activations  count" in on_terminal("profile", "convnext_t", columns=120, NO_COLOR="1")
    assert "of MACs" in on_terminal("profile", "convnext_t", NO_COLOR="1")


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("convlab profile convnext_", "convnext_atto"),
        ("convlab profile convnext_t --set block.kern", "block.kernel_size="),
        ("convlab explain map", "map-vanishes"),
        ("convlab space count spaces/kern", "spaces/kernel_study"),
    ],
)
def test_the_shell_completes(words: str, first: str) -> None:
    changes = {"_CONVLAB_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    out, _ = start(**changes).communicate()
    assert out.decode().split()[0] == first
