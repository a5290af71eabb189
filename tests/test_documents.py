"""Every value of a TOML document has its place, and whatever else is read gives a clear error."""

from __future__ import annotations

import math
import os
import random
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from convlab.documents.assignments import parse_assignment
from convlab.documents.document import MAX_BYTES, Document, parse, read
from convlab.errors import ConvlabError, Problem, render

SAMPLE = """\
# a "comment" with [brackets] and 'quotes'
summary = "a # b" # "c"
depths = [3, 3, # the "third" ]
  9, [3], ]
"quoted.key" . 'x' = 1
stage.depth = 2 \t# two
text = '''
several ''lines''''\u0027
more = \"""a\\\"""b \"" \"""
when = 1979-05-27 07:32:00

[stages.2.block]
kind = { name = "swin", at = { window = 7 } }
[ stages ]
count = 4
[[runs]]
a = 1
[[runs]]
a = 2
[runs.sub]
b = 3
[[runs.items]]
c = [{ d = 1 }, { d = [2] }]
"""


def cut(document: Document, *path: str | int) -> str:
    span = document.span(path)
    assert span
    return document.text[slice(*span)]


def refusal(text: str) -> Problem:
    with pytest.raises(ConvlabError) as caught:
        parse(text, "mine.toml")
    assert caught.value.exit_code == 2
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


def under_carets(problem: Problem) -> str:
    place = problem.place
    assert place
    assert place.line
    return place.text[place.column - 1 :][: place.length]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_form_of_toml_has_its_span(newline: str) -> None:
    document = parse(SAMPLE.replace("\n", newline), "sample.toml")
    assert cut(document, "summary") == '"a # b"'
    assert cut(document, "depths", 2) == "9"
    assert cut(document, "depths", 3, 0) == "3"
    assert cut(document, "quoted.key", "x") == "1"
    assert cut(document, "stage") == "stage"
    assert cut(document, "stage", "depth") == "2"
    assert cut(document, "when") == "1979-05-27 07:32:00"
    assert cut(document, "stages", 2, "block", "kind", "at", "window") == "7"
    assert cut(document, "stages", "2", "block", "kind", "at") == "{ window = 7 }"
    assert cut(document, "stages", 2) == cut(document, "stages", 2, "block") == "[stages.2.block]"
    assert cut(document, "stages") == "[ stages ]"
    assert cut(document, "runs", 1, "a") == "2"
    assert cut(document, "runs", 1, "sub", "b") == "3"
    assert cut(document, "runs", 1, "items", 0, "c", 1, "d", 0) == "2"
    assert_spans_are_right(document)


def test_places_count_lines_and_columns_from_one() -> None:
    document = parse(SAMPLE, "sample.toml")
    kind = document.place(("stages", 2, "block", "kind"), of="key")
    assert kind
    assert (kind.file, kind.line, kind.column, kind.length) == ("sample.toml", 13, 1, 4)
    assert kind.text == 'kind = { name = "swin", at = { window = 7 } }'
    header = document.place(("stages", 2, "block"), of="key")
    assert header
    assert (header.line, header.column, header.length) == (12, 11, 5)
    several_lines = document.place(("depths",))
    assert several_lines
    assert several_lines.text[several_lines.column - 1 :][: several_lines.length].startswith("[3, 3")
    assert document.place(("nowhere",)) is None
    assert document.place(("depths", 4)) is None
    windows = parse("a = 1\r\nb = 2\r\n", "w").place(("b",))
    assert windows
    assert (windows.text, windows.column, windows.length) == ("b = 2", 5, 1)


@pytest.mark.parametrize(
    ("text", "message", "under"),
    [
        ("kind = convnext", "this is not a TOML value", "convnext"),
        ("a = 1\nx = True # c", "this is not a TOML value", "True"),
        ("x =", "a value is missing here", ""),
        ('kind "x"', '"=" is missing', '"'),
        ("a = [1 2]", "the list needs", "2"),
        ("a = [1, 2\n\n", "the list needs", ""),
        ('a = "x\nb = 1', "the text is not closed on its line", ""),
        ('a = """x', "the text is not closed", ""),
        ("a = 1 b = 2", "the line should end before this", "b"),
        ("[a\nb = 1", "the table header is not closed", ""),
        ('a = "C:\\q"', "a backslash starts an unknown escape", "\\"),
        ("a = 1\nb = 2\na = 3", '"a" is given twice', "a"),
        ("a = { b = 1, b = 2 }", '"a.b" is given twice', "b"),
        ("x = [\n1, { b = 1, b = 2 }]", '"x.1.b" is given twice', "b"),
        ("[a]\n[b]\n[a]", '"a" is given twice', "a"),
        ("[[a]]\n[a]", '"a" is given twice', "a"),
        ("a = 1\n[a.b]\nc = 1", '"a.b" cannot be added to "a"', "b"),
        ("a = { b = 1 }\na.c = 2", '"a.c" cannot be added to "a"', "c"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_syntax_errors_are_told_in_plain_words(text: str, message: str, under: str, newline: str) -> None:
    problem = refusal(text.replace("\n", newline))
    assert problem.code == "toml-syntax"
    assert problem.message.startswith(message)
    assert problem.help
    assert under_carets(problem) == under


def test_a_key_given_twice_names_the_first() -> None:
    problem = refusal("a = 1\nb = 2\na = 3")
    assert problem.label == "first in line 1"
    assert problem.place
    assert (problem.place.line, problem.place.column) == (3, 1)


def test_hostile_text_is_refused_before_it_is_parsed() -> None:
    for text in (
        "a = " + "[" * 10_000,
        "a = " + "[" * 65 + "]" * 65,
        "a = " + "{a=" * 50_000,
        "a" + ".a" * 100_000 + " = 1",
        "[" + "a." * 100_000 + "a]",
        "[" + "a." * 40 + "a]\n" + "a." * 40 + "a = 1",
        "a" + " . 'a' " * 64 + "=1",
    ):
        assert refusal(text).code == "nested-too-deeply"
    for literal in ("9" * 5000, "-" + "1_1" * 60, "0x" + "f" * 5000, "[1, " + "9" * 101 + "]", "0." + "1" * 200):
        assert refusal(f"a = {literal}").code == "number-too-long"
    fine = '"' + "[" * 500 + "." * 500 + "9" * 500 + '"'
    for text in (
        f"a = {fine} # {fine}",
        f"a = '''{fine}\n'''",
        "a = " + "[" * 63 + "]" * 63,
        "9" * 200 + " = 1",
        "a = [" + "1.5, " * 1000 + "]",
        "a = " + "9" * 100,
    ):
        parse(text, "fine.toml")


def test_unclosed_strings_take_no_exponential_time() -> None:
    for start in ('"', "'", '"""', "'''", '"""""""', '"""\\'):
        assert refusal("a = " + start + 'b""' * 100_000).code == "toml-syntax"


def file_refusal(path: Path | str) -> Problem:
    with pytest.raises(ConvlabError) as caught:
        read(path)
    assert caught.value.exit_code == 2
    problem = caught.value.problems[0]
    assert problem.help
    assert problem.place
    assert problem.place.file == str(path)
    return problem


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xef\xbb\xbfa = 1", "byte-order-mark"),
        ("a = 1".encode("utf-16"), "byte-order-mark"),
        (b"\xfe\xff\0a", "byte-order-mark"),
        (b"\xff\xfe\0\0a\0\0\0", "byte-order-mark"),
        (b"a = 1\0", "not-text"),
        (b"\x80\x02}q\0", "not-text"),
        ("a = 1\nname = 'é'".encode("latin-1"), "not-text"),
        (b"a = 1\n" * (MAX_BYTES // 6 + 1), "too-large"),
    ],
)
def test_bytes_that_are_no_toml(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    assert file_refusal(path).code == code


def test_the_byte_that_is_not_text_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes("a = 'ü'\nname = 'é".encode() + b"\xe9'")
    place = file_refusal(path).place
    assert place
    assert (place.line, place.column, place.length) == (2, 10, 1)


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert file_refusal(tmp_path / "missing.toml").code == "unreadable-file"
    assert file_refusal("a\0b").code == "unreadable-file"
    assert file_refusal("a" * 10_000).code == "unreadable-file"
    assert file_refusal(tmp_path).code == "not-a-file"
    file = tmp_path / "file.toml"
    file.write_text("a = 1")
    assert file_refusal(file / "below.toml").code == "unreadable-file"
    assert read(file).data == {"a": 1}
    assert read(str(file)).name == str(file)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "permission denied" in file_refusal(file).message


@pytest.mark.skipif(os.name != "posix", reason="needs devices and pipes")
def test_devices_and_pipes_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        assert file_refusal(path).code == "not-a-file"


@pytest.mark.parametrize(
    ("argument", "path", "value"),
    [
        ("stages.2.depth=27", "stages.2.depth", 27),
        ("stages.*.block.kernel_size = 9", "stages.*.block.kernel_size", 9),
        ("stages.-1.width=512", "stages.-1.width", 512),
        ("block.kind=convnext", "block.kind", "convnext"),
        ('block.kind="convnext"', "block.kind", "convnext"),
        ("block.grn=true", "block.grn", True),
        ("drop_path=1e-1", "drop_path", 0.1),
        ("limit=inf", "limit", math.inf),
        ("depths=[3, 3,\n 9, 3]", "depths", [3, 3, 9, 3]),
        ("summary='a=b'", "summary", "a=b"),
        ("stem={ kind = 'patchify' }", "stem", {"kind": "patchify"}),
    ],
)
def test_assignments(argument: str, path: str, value: object) -> None:
    assignment = parse_assignment(argument)
    assert (".".join(assignment.path), assignment.value) == (path, value)
    data: Any = assignment.document.data
    for part in assignment.path:
        data = data[part]
    assert data == value
    place = assignment.place_of_value()
    assert (place.file, place.line, place.text) == ("--set", 1, argument.split("\n")[0])
    assert argument[place.column - 1 :].startswith(place.text[place.column - 1 :][: place.length])
    assert place.column > argument.index("=") + 1


def test_places_in_an_assignment() -> None:
    assignment = parse_assignment("stages.*.block.kernel_size=[7, 'x']")

    def shown(column: int, length: int) -> str:
        return assignment.document.text[column - 1 :][:length]

    whole, star, last = (assignment.place_of_path(index) for index in (None, 1, -1))
    assert shown(whole.column, whole.length) == "stages.*.block.kernel_size"
    assert shown(star.column, star.length) == "*"
    assert shown(last.column, last.length) == "kernel_size"
    item = assignment.document.place((*assignment.path, 1))
    assert item
    assert shown(item.column, item.length) == "'x'"


@pytest.mark.parametrize(
    ("argument", "message", "under"),
    [
        ("depth", 'there is no "="', "depth"),
        ("", 'there is no "="', ""),
        ("=3", "the knob path is missing", "="),
        ("a..b=3", "a part of the knob path is empty", "."),
        (".a=3", "a part of the knob path is empty", "."),
        ("a.=3", "a part of the knob path is empty", "="),
        ("stages[2].depth=3", '"stages[2]" is no part', "stages[2]"),
        ("a. b c .d=3", '"b c" is no part', "b c"),
        ("a" + ".a" * 1000 + "=3", "the knob path has 1001 parts", "a" + ".a" * 1000),
        ("a=", "the value is missing", ""),
        ("a= ", "the value is missing", ""),
        ("a=4x", "the line should end before this", "x"),
        ("a = conv next", "this is not a TOML value", "c"),
        ("abc=[1, x]", "this is not a TOML value", "x"),
        ("abc=[1, [2]", 'the list needs "," or "]"', ""),
        ("a=1\nb=2", "this is more than one value", "1"),
        ("a=1\n[x]", "this is more than one value", "1"),
        ("a.b=1\na.c=2", "this is more than one value", "1"),
        ("a={b=1,b=2}", '"a.b" is given twice', "b"),
        ("a=" + "[" * 65, "this is nested", "["),
        ("a=" + "9" * 101, "a number of over 100 digits", "9" * 101),
    ],
)
def test_bad_assignments_point_into_the_argument(argument: str, message: str, under: str) -> None:
    with pytest.raises(ConvlabError) as caught:
        parse_assignment(argument)
    (problem,) = caught.value.problems
    assert (problem.code, caught.value.exit_code) == ("bad-set", 2)
    assert problem.message.startswith(message)
    assert problem.help
    assert problem.place
    assert (problem.place.file, problem.place.line, problem.place.text) == ("--set", 1, argument.split("\n")[0])
    assert under_carets(problem) == under


KEYS = ("a", "b-c", "2", "-1", "1979", '"q.r"', "'s # t'", '""', '"\\u00e9\\""', "true", "'[x]'", '"広"')
SCALARS = (
    "1", "-1_000", "0xDEAD_beef", "1.5e-3", "inf", "-nan", "true", "false", "1979-05-27", "1979-05-27T07:32:00.5Z",
    "1979-05-27 07:32:00", "07:32:00", '""', "''", '"a\\"#]}"', "'\\#[{'", '"\\u00e9, = 広い"', '"""a""\\""""b"""',
    '"""""""', '""""""', "''''''", "''''a'''''", "'''\n a = 1 # x\n[t]\n'''", '"""\\\n   b\\\\"""', '"""\n\n"x"\n"""',
)  # fmt: skip

DAMAGE = ("", *"\"'[]{}=.,#\\\n\r\t 1aé\x00\x1b")


class Writer:
    """Writes random TOML, most of which is valid."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def document(self) -> str:
        lines = [self.statement() for _ in range(self.random.randrange(1, 9))]
        return self.random.choice(("\n", "\n", "\r\n")).join(lines).replace("@", self.random.choice(("\n", "\r\n")))

    def statement(self) -> str:
        kind = self.random.randrange(8)
        if kind == 0:
            return self.random.choice(("", "  ", "# \"x\" ''' [a] = 1", "\t#"))
        if kind == 1:
            return f"[{self.space()}{self.key()}{self.space()}]{self.comment()}"
        if kind == 2:
            return f"[[{self.space()}{self.key()}{self.space()}]]{self.comment()}"
        return f"{self.space()}{self.pair(3)}{self.comment()}"

    def pair(self, depth: int) -> str:
        return f"{self.key()}{self.space()}={self.space()}{self.value(depth)}"

    def key(self) -> str:
        parts = self.random.choices(KEYS, k=self.random.choice((1, 1, 1, 2, 3)))
        return f"{self.space()}.{self.space()}".join(parts)

    def value(self, depth: int) -> str:
        kind = self.random.randrange(6) if depth else 9
        if kind == 0:
            items = [self.blank() + self.value(depth - 1) + self.blank() for _ in range(self.random.randrange(4))]
            return "[" + ",".join(items) + (self.random.choice(("", ",")) if items else "") + self.blank() + "]"
        if kind == 1:
            pairs = [self.space() + self.pair(depth - 1) + self.space() for _ in range(self.random.randrange(4))]
            return "{" + (",".join(pairs) or self.space()) + "}"
        return self.random.choice(SCALARS)

    def space(self) -> str:
        return self.random.choice(("", "", " ", "\t "))

    def blank(self) -> str:
        return self.random.choice(("", "", " ", "@", " # ] \" ''' ,@ "))

    def comment(self) -> str:
        return self.random.choice(("", "", " ", "# 'x", ' # "]'))

    def mutated(self, text: str) -> str:
        characters = list(text)
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(characters) + 1)
            characters[at : at + self.random.randrange(3)] = self.random.choice(DAMAGE)
        return "".join(characters)


def values(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from values(item, (*path, key))


def assert_spans_are_right(document: Document) -> int:
    """Each span, cut out and parsed again, gives the value, or else is the header or the key of a table."""
    count = 0
    for path, value in values(document.data):
        if not path:
            continue
        text, key = cut(document, *path), document.span(path, "key")
        place = document.place(path)
        assert key
        assert place
        assert place.text[place.column - 1 :][: place.length] == text.split("\n")[0].removesuffix("\r")
        is_table = isinstance(value, dict) or (isinstance(value, list) and text.startswith("[["))
        if is_table and not text.startswith("{") and not (text.startswith("[[") and parses_to(text, value)):
            last = document.text[slice(*key)]
            assert last in text
            if isinstance(path[-1], str):
                assert tomllib.loads(f"{last} = 1") == {path[-1]: 1}
            continue
        assert parses_to(text, value), (path, text)
        count += 1
    return count


def parses_to(text: str, value: Any) -> bool:
    try:
        return repr(tomllib.loads(f"x = {text}")["x"]) == repr(value)  # repr: nan is not equal to itself
    except tomllib.TOMLDecodeError:
        return False


def problems_of(action: Callable[[], object]) -> tuple[Problem, ...]:
    try:
        action()
    except ConvlabError as error:
        return error.problems
    return ()


def test_the_span_of_every_value_is_right_in_random_documents() -> None:
    documents = checked = 0
    for seed in range(6_000):
        try:
            document = parse(Writer(seed).document(), f"{seed}.toml")
        except ConvlabError:
            continue  # a key came up twice
        documents += 1
        checked += assert_spans_are_right(document)
    assert documents > 2_000
    assert checked > 10_000


def test_damaged_documents_raise_nothing_but_convlab_errors() -> None:
    for seed in range(6_000):
        writer = Writer(seed)
        text = writer.mutated(writer.document())
        for problem in problems_of(lambda text=text: assert_spans_are_right(parse(text, "x"))):  # type: ignore[misc]
            assert render(problem)
            assert problem.place
            assert problem.place.line
        for problem in problems_of(lambda text=text: parse_assignment(text).place_of_value()):  # type: ignore[misc]
            assert problem.code == "bad-set"


def test_damaged_bytes_raise_nothing_but_convlab_errors(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for seed in range(300):
        noise = random.Random(seed)
        content = bytearray(SAMPLE.encode())
        for _ in range(3):
            content[noise.randrange(len(content))] = noise.randrange(256)
        path.write_bytes(content)
        for problem in problems_of(lambda: read(path)):
            assert render(problem)
