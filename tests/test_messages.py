"""Every file in tests/messages opens with the error text that it must give; ``python tests/test_messages.py`` writes what they give now."""

from __future__ import annotations

import json
import os
import random
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import convlab
from convlab.errors import CODES, ConvlabError
from convlab.presets import preset_folder

FOLDER = Path(__file__).parent / "messages"
FILES = sorted(path.name for path in FOLDER.glob("*.toml") if path.name != "sets.toml")
SETS = tomllib.loads((FOLDER / "sets.toml").read_text(encoding="utf-8"))["case"]
LANGUAGE = {
    "toml-syntax", "unreadable-file", "not-a-file", "nested-too-deeply", "number-too-long", "unknown-key", "unknown-kind",
    "unknown-preset", "wrong-type", "out-of-range", "wrong-length", "missing-key", "base-cycle", "bad-set",
    "groups-do-not-divide", "map-vanishes", "newer-format", "bad-layer", "bad-name", "bad-space",
}  # fmt: skip
"""The codes that a design file or an assignment can show."""


@contextmanager
def within(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def refusal(source: str, *sets: str) -> ConvlabError:
    with pytest.raises(ConvlabError) as caught:
        convlab.load(source, sets=sets)
    return caught.value


def text_of(error: ConvlabError) -> str:
    return str(error).replace(f"{preset_folder()}{os.sep}", "presets/")


def expected(text: str) -> str:
    """What the comment that opens a file says."""
    lines = []
    for line in text.split("\n"):
        if not line.startswith("#"):
            break
        lines.append(line[2:])
    return "\n".join(lines)


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_the_text_that_it_opens_with(name: str) -> None:
    with within(FOLDER):
        error = refusal(name)
    assert text_of(error) == expected((FOLDER / name).read_text(encoding="utf-8"))
    assert_is_well_formed(error)


@pytest.mark.parametrize("case", SETS, ids=[" ".join(case["sets"])[:60] for case in SETS])
def test_an_assignment_gives_its_text(case: dict[str, str]) -> None:
    error = refusal(case["design"], *case["sets"])
    assert text_of(error) == case["text"].strip()
    assert_is_well_formed(error)


def assert_is_well_formed(error: ConvlabError) -> None:
    """Every problem says where, what and a way out, once."""
    told = [(problem.place, problem.message) for problem in error.problems]
    assert len(set(told)) == len(told)
    for problem in error.problems:
        assert problem.message
        assert problem.label or problem.help
        assert problem.place is not None or problem.code == "unknown-preset"
        if problem.place is not None and problem.place.line:
            assert problem.place.text[problem.place.column - 1 :][: problem.place.length].strip() or problem.code in (
                "toml-syntax",
                "bad-set",
            )
    places = [problem.place for problem in error.problems if problem.place is not None]
    assert places == sorted(places, key=lambda place: (place.file, place.line, place.column))
    assert json.loads(json.dumps(error.to_json())) == error.to_json()


def test_every_code_of_the_language_has_a_message() -> None:
    shown = set()
    with within(FOLDER):
        for name in FILES:
            shown |= {problem.code for problem in refusal(name).problems}
        for case in SETS:
            shown |= {problem.code for problem in refusal(case["design"], *case["sets"]).problems}
    assert shown == LANGUAGE
    assert set(CODES) > LANGUAGE


FILES_OF_BYTES = {
    "bom_utf8": ("\ufeffdepths = [3]\n".encode(), "the text starts with a byte order mark, which TOML does not allow"),
    "bom_utf16": (
        "depths = [3]\n".encode("utf-16"),
        "the text starts with a byte order mark, which TOML does not allow",
    ),
    "checkpoint": (b"PK\x03\x04\x00\x00archive/data.pkl", "this byte is not text"),
    "picture": (b"\x89PNG\r\n\x1a\n", "this byte is not text"),
    "latin1": ("summary = 'Rés'\n".encode("latin-1"), "this byte is not text"),
    "zeros": (bytes(1000), "this byte is not text"),
    "brackets": (b"depths = " + b"[" * 100_000, "this is nested more than 64 deep"),
    "braces": (b"depths = " + b"{a=" * 100_000, "this is nested more than 64 deep"),
    "dots": (b"[" + b"a." * 100_000 + b"a]", "this is nested more than 64 deep"),
    "digits": (b"drop_path = " + b"9" * 6_000, "a number of over 100 digits"),
    "decimals": (b"drop_path = 0." + b"1" * 6_000, "a number of over 100 digits"),
    "hexadecimal": (b"[head]\nclasses = 0x" + b"f" * 6_000, "a number of over 100 digits"),
    "random": (random.Random(7).randbytes(10_000), "this byte is not text"),
}


@pytest.mark.parametrize("name", FILES_OF_BYTES)
def test_files_that_are_not_toml(name: str, tmp_path: Path) -> None:
    content, message = FILES_OF_BYTES[name]
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    error = refusal(str(path))
    assert [problem.message for problem in error.problems] == [message]
    assert error.exit_code == 2
    assert len(str(error)) < 700
    assert str(path) in str(error)
    assert_is_well_formed(error)


def test_a_file_of_100_megabytes_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    started = time.perf_counter()
    error = refusal(str(path))
    assert time.perf_counter() - started < 2
    assert error.problems[0].code == "too-large"
    assert error.problems[0].help


def test_a_file_of_nothing_but_mistakes_is_refused_soon(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    started = time.perf_counter()
    for text in (
        "".join(f"kernelsize_{index} = {index}\n" for index in range(10_000)),
        "depths = [" + "0, " * 75_000 + "]\n",
        'depths = [3]\nwidths = [96]\n[block]\nkind = "custom"\nbranch = [' + '"nrm", ' * 25_000 + "]\n",
        "".join(f"[stages.{index}]\n" for index in range(12_500)),
    ):
        path.write_text(text)
        error = refusal(str(path))
        assert len(error.problems) <= 101
        assert len(str(error)) < 200_000
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "..", "/", "a" * 5_000, "a\0b", "/dev/null", "~", "convnext_t\n", "\x1b[31m", "ä"],
    ids=lambda name: repr(name)[:20],
)
def test_odd_names_of_files(name: str) -> None:
    for source in (name, f"{name}.toml"):
        error = refusal(source)
        assert error.exit_code == 2
        assert len(str(error)) < 700 or len(name) > 100
        assert "\x1b" not in str(error)
        assert error.problems[0].help


def test_a_base_of_an_odd_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for base in ("", " ", "..", "a" * 5_000, "a\\u0000b", "\\u001b[31m", "/dev/null", "x.toml/y.toml", "convnext_t/"):
        path.write_text(f'base = "{base}"\n')
        (problem,) = refusal(str(path)).problems
        assert problem.place is not None
        assert (problem.place.file, problem.place.line) == (str(path), 1)
        assert problem.help


def test_over_32_bases_are_refused(tmp_path: Path) -> None:
    for index in range(50):
        (tmp_path / f"{index}.toml").write_text(f'base = "{index + 1}.toml"\n')
    (problem,) = refusal(str(tmp_path / "0.toml")).problems
    assert problem.message == "over 32 bases, one on the other"


WRONG_TURNS = {
    "": 'a design has no knob ""',
    "stages": "stages is a table, not 3",
    "stages.2": "stages.2 is a table, not 3",
    "stages.2.": 'a stage has no knob ""',
    "stages.2.depth.x": "depth is a whole number from 1 to 10000, not {x = 3}",
    "stages.4.depth": 'there is no stage "4"',
    "stages.-5.depth": 'there is no stage "-5"',
    "block": "block is a table, not 3",
    "block.kind": "kind is one of basic, bottleneck",
    "depth": 'a design has no knob "depth"',
    "base": "base is no knob: it belongs to a file",
    "name": 'a design has no knob "name"',
    "image.size.0": "size is a whole number from 1 to 65536, or a list of height and width, not {0 = 3}",
    "a" * 10_000: 'a design has no knob "aaaa',
    "\x1b": 'a design has no knob "\\x1b"',
    "." * 1_000: 'a design has no knob ""',
}


@pytest.mark.parametrize("path", WRONG_TURNS, ids=lambda path: repr(path)[:30])
def test_turning_what_is_no_knob(path: str) -> None:
    with pytest.raises(ConvlabError) as caught:
        convlab.turn(convlab.load("convnext_t"), path, 3)
    assert caught.value.problems[0].message.startswith(WRONG_TURNS[path])


@pytest.mark.parametrize(
    "value",
    [
        None,
        -1,
        0,
        512,
        2.5,
        float("nan"),
        "7",
        b"7",
        [],
        ["7"],
        [7, 7, 7],
        {},
        {"a": 1},
        {1: 2},
        {None: 3},
        True,
        object(),
        10**6_000,
        print,
    ],
    ids=lambda value: type(value).__name__,
)
def test_turning_a_knob_to_a_wrong_value(value: object) -> None:
    design = convlab.load("convnext_t")
    for path in ("block.kernel_size", "stages.2.block.kernel_size", "stages.*.block.kernel_size", "image.size"):
        if path == "image.size" and value == 512:
            continue
        with pytest.raises(ConvlabError) as caught:
            convlab.turn(design, path, value)
        assert len(str(caught.value)) < 1_000
        assert caught.value.problems[0].path


def test_turning_takes_the_numbers_of_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    design = convlab.turn(convlab.load("convnext_t"), "block.kernel_size", numpy.int64(9))
    design = convlab.turn(design, "drop_path", numpy.float32(0.5))
    assert (type(convlab.get(design, "block.kernel_size")), design.drop_path) == (int, 0.5)


def rewrite() -> None:
    """Write into every file what it gives now: for a change of wording. Read the difference before you keep it."""
    with within(FOLDER):
        for name in FILES:
            text = Path(name).read_text(encoding="utf-8")
            body = text.split("\n")[expected(text).count("\n") + 1 if expected(text) else 0 :]
            for _ in range(4):  # the text holds line numbers, which hang on its length
                Path(name).write_text(text, encoding="utf-8")
                comment = [f"# {line}".rstrip() for line in text_of(refusal(name)).split("\n")]
                text = "\n".join([*comment, *body])
    cases = []
    for case in SETS:
        text = text_of(refusal(case["design"], *case["sets"]))
        sets = ", ".join(f"'{item}'" if "'" not in item else json.dumps(item) for item in case["sets"])
        cases.append(f"[[case]]\ndesign = \"{case['design']}\"\nsets = [{sets}]\ntext = '''\n{text}\n'''\n")
    (FOLDER / "sets.toml").write_text(SETS_HEADER + "\n" + "\n".join(cases), encoding="utf-8")


SETS_HEADER = "# Arguments of --set on a preset, and the error text that they must give.\n"

if __name__ == "__main__":
    sys.exit(rewrite())
