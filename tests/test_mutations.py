"""Damaged designs, assignments and layers give a design or a ConvlabError: never another exception, never a hang."""

from __future__ import annotations

import random
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import convlab
from convlab.errors import CODES, ConvlabError
from convlab.language.layer_text import FORMS, parse_layer
from convlab.language.writing import text_of
from convlab.presets import preset_folder

SECONDS = 10
"""A guard against hanging, many times what any case takes."""

CUSTOM = """\
depths = [2, 2, 4, 2]
widths = [32, 64, 128, 256]

[block]
kind = "custom"
norm = "layer_norm"
bias = true
branch = ["depthwise(7)", "norm", "pointwise(4x)", "activation(gelu)", "grn", "pointwise(1x)", "layer_scale(1e-6)"]

[stages.2.block]
branches = [["parallel(conv(3, 1x, groups=4), identity)", "norm"], ["squeeze_excite(0.25)", "max_pool(3)"]]

[stages.-1]
depth = 3
dilation = 2
block.kind = "mbconv"
downsample = { kind = "max_pool", kernel_size = 2 }
"""

VALUES = (
    "0", "-1", "1", "3", "7.5", "1e9", "1e400", "-0.0", "nan", "-inf", "true", '""', '"convnext"', '"custom"', "[]", "[[]]",
    "[3, 3]", "[0, -1, 2, 3]", "{}", "{ kind = 'basic' }", "{ low = 3, high = 9, step = 2 }", "1979-05-27", "07:32:00",
    "9223372036854775808", "1_000_000_000_000", '"depthwise"', '["spatial"]', '["depthwise(7)", "layer_scale"]', "0x7f",
    '"\\u0000"', '"\\U0001F600"', "'''\n'''", "[true, 'x', 1.5, {}]", '["norm", ["norm"]]', '"4x"', "65536", "511",
)  # fmt: skip

KEYS = (
    "depths", "widths", "strides", "dilations", "image", "stem", "block", "downsample", "head", "stages", "base", "format",
    "kind", "size", "kernel_size", "groups", "group_width", "expansion_ratio", "norm_after", "branch", "branches", "0", "-1",
    "*", "vary", "rules", "limits", "output_stride", "names", "", "a.b.c", "__class__", "stages.2.block", "stride", "width",
)  # fmt: skip


def presets() -> list[str]:
    paths = sorted(preset_folder().glob("**/*.toml"))
    return [CUSTOM, *(path.read_text(encoding="utf-8") for path in paths if path.parent.name != "spaces")]


class Mutator:
    """Damages text, in ways that hang on nothing but the seed."""

    def __init__(self, seed: int, texts: list[str]) -> None:
        self.random = random.Random(seed)
        self.texts = texts

    def file(self) -> bytes:
        text = self.random.choice(self.texts)
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            text = self.random.choice(self.ways)(self, text)
        content = bytearray(text, "utf-8")
        if self.random.random() < 0.1 and content:
            content[self.random.randrange(len(content))] = self.random.randrange(256)
        return bytes(content)

    def characters(self, text: str) -> str:
        at = self.random.randrange(len(text) + 1)
        damage = self.random.choice(("", *"\"'[]{}=.,#\\\n\r\t 019aéx-_\x00\x1b\u202e", "[" * 70, "a." * 70, "9" * 200))
        return text[:at] + damage + text[at + self.random.randrange(4) :]

    def truncation(self, text: str) -> str:
        return text[: self.random.randrange(len(text) + 1)]

    def lines(self, text: str) -> str:
        lines = text.split("\n")
        at, other = self.random.randrange(len(lines)), self.random.randrange(len(lines))
        way = self.random.randrange(3)
        if way == 0:
            lines.insert(at, lines[other])
        elif way == 1:
            lines[at], lines[other] = lines[other], lines[at]
        else:
            del lines[at]
        return "\n".join(lines)

    def values(self, text: str) -> str:
        return self._replaced(text, r"(?<== )[^\n]+", lambda _: self.random.choice(VALUES))

    def swapped(self, text: str) -> str:
        found = re.findall(r"(?<== )[^\n]+", text) or ["1"]
        return self._replaced(text, r"(?<== )[^\n]+", lambda _: self.random.choice(found))

    def numbers(self, text: str) -> str:
        factors = ("0", "-{}", "{}.5", "{}0", "{}000000", "{}e9", "-{}e-300", "{}.0", "0.{}", "{}_1")
        return self._replaced(text, r"\d+(?:\.\d+)?", lambda word: self.random.choice(factors).format(word))

    def keys(self, text: str) -> str:
        return self._replaced(text, r"(?m)^[a-z_]+(?= *=)|(?<=^\[)[a-z_.0-9-]+(?=\])", self._key)

    def words(self, text: str) -> str:
        return self._replaced(text, r"[a-z_]+", self._typo)

    def layers(self, text: str) -> str:
        return self._replaced(text, r"\w+\(?[^\",]*\)", lambda _: self.layer())

    def added(self, text: str) -> str:
        return text + f"\n{self.random.choice(KEYS)} = {self.random.choice(VALUES)}\n"

    def spliced(self, text: str) -> str:
        other = self.random.choice(self.texts)
        return text[: self.random.randrange(len(text) + 1)] + other[self.random.randrange(len(other)) :]

    def _replaced(self, text: str, pattern: str, by: Callable[[str], str]) -> str:
        found = list(re.finditer(pattern, text))
        if not found:
            return text
        chosen = self.random.choice(found)
        return text[: chosen.start()] + by(chosen[0]) + text[chosen.end() :]

    def _key(self, key: str) -> str:
        return self.random.choice((*KEYS, self._typo(key), self._typo(key), self._typo(key)))

    def _typo(self, word: str) -> str:
        at = self.random.randrange(len(word) + 1)
        return word[:at] + self.random.choice(("", "x", word[::-1], "_")) + word[at + 1 :]

    def assignment(self) -> str:
        parts = self.random.choices(KEYS, k=self.random.choice((1, 2, 2, 3, 4)))
        path = self.random.choice(("stages.2.", "stages.*.block.", "stages.-1.", "block.", "", "")) + ".".join(parts)
        text = f"{path}={self.random.choice(VALUES)}"
        return self.characters(text) if self.random.random() < 0.3 else text

    def layer(self) -> str:
        text = self._call(0)
        return self.characters(text) if self.random.random() < 0.3 else text

    def _call(self, depth: int) -> str:
        name = self.random.choice((*FORMS, *FORMS, "x", ""))
        count = self.random.choice((0, 1, 1, 2, 3))
        arguments = [self._argument(depth) for _ in range(count)]
        return f"{name}({', '.join(arguments)})" if arguments or self.random.random() < 0.5 else name

    def _argument(self, depth: int) -> str:
        if depth < 4 and self.random.random() < 0.4:
            return self._call(depth + 1)
        value = self.random.choice(
            ("7", "3", "1x", "4x", "0.25x", "0", "-1", "1e-6", "9e99", "65537", "gelu", "norm", "1.5")
        )
        return f"{self.random.choice(('', '', 'groups=', 'kernel_size=', 'x='))}{value}"

    ways = (
        characters, truncation, lines, lines, values, values, swapped, numbers, numbers, keys, keys, words, layers, added, spliced,
    )  # fmt: skip


@contextmanager
def in_time() -> Iterator[None]:
    """An exception after some seconds, where the system has alarms and this is the main thread's test."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_: object) -> None:
        raise TimeoutError(f"over {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(action: Callable[[], Any]) -> Any:
    """What the action gives, or the ConvlabError, looked over; any other exception goes through."""
    with in_time():
        try:
            return action()
        except ConvlabError as error:
            return looked_over(error)


def looked_over(error: ConvlabError) -> ConvlabError:
    text = str(error)
    assert len(text) < 300_000
    assert all(character == "\n" or character.isprintable() for character in text)
    assert all(problem.message and problem.code in CODES for problem in error.problems)
    told = [(problem.place, problem.path, problem.message) for problem in error.problems]
    assert len(set(told)) == len(told)
    return error


def peak_megabytes() -> float:
    """The most memory that the process has used; 0 where that cannot be told."""
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


@pytest.mark.parametrize("part", range(8))
def test_damaged_files(part: int, tmp_path: Path) -> None:
    texts = presets()
    before = peak_megabytes()
    designs = 0
    path = tmp_path / "mine.toml"
    for seed in range(250 * part, 250 * (part + 1)):
        path.write_bytes(Mutator(seed, texts).file())
        found = outcome(lambda: convlab.load(path))
        if isinstance(found, convlab.Design):
            designs += 1
            profile = convlab.profile(found)
            assert profile.params > 0
            path.write_text(text_of(found), encoding="utf-8")
            assert convlab.load(path) == found
    assert designs > 30  # else the damage is too heavy to test what follows the reading
    assert peak_megabytes() - before < 500


def test_damaged_assignments() -> None:
    texts = presets()
    for seed in range(2_000):
        mutator = Mutator(seed, texts)
        design = mutator.random.choice(("convnext_t", "resnet50", "convnext_iso_s"))
        sets = [mutator.assignment() for _ in range(mutator.random.choice((1, 1, 2)))]
        outcome(lambda design=design, sets=sets: convlab.load(design, sets=sets))  # type: ignore[misc]


def test_damaged_layers() -> None:
    texts = presets()
    read = 0
    for seed in range(5_000):
        text = Mutator(seed, texts).layer()
        read += not isinstance(outcome(lambda text=text: parse_layer(text)), ConvlabError)  # type: ignore[misc]
    assert read > 200


def test_turning_at_random() -> None:
    """From Python, values need not be what TOML can say."""
    odd = (
        None,
        object(),
        b"7",
        {1, 2},
        {1: {2: 3}},
        1j,
        10**400,
        float("nan"),
        (7, 7),
        [None],
        range(3),
        "7",
        9,
        {"kind": []},
    )
    design = convlab.load("convnext_t")
    for seed in range(3_000):
        mutator = Mutator(seed, [])
        path = mutator.assignment().partition("=")[0]
        value = mutator.random.choice(odd)
        outcome(lambda path=path, value=value: convlab.turn(design, path, value))  # type: ignore[misc]
        outcome(lambda path=path: convlab.get(design, path))  # type: ignore[misc]
