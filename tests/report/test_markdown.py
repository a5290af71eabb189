"""A report as Markdown: names are code, other text is escaped, tables keep their shape."""

import re

import pytest

from convlab.report import contents, markdown
from convlab.report.markdown import code, prose


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("convnext_t", "convnext_t"),
        ("_a_ *b* <c> [d] |", r"\_a\_ \*b\* \<c\> \[d\] \|"),
        ("@someone", "@<!-- -->someone"),
        ("`convlab bench` measures", "`convlab bench` measures"),
        ("one ` alone", r"one \` alone"),
        ("two\nlines", r"two\\nlines"),
        ("~x~ #1 &amp;", r"\~x\~ \#1 \&amp;"),
    ],
)
def test_prose(given, shown):
    assert prose(given) == shown


@pytest.mark.parametrize(("given", "shown"), [("a", "`a`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("", "")])
def test_code(given, shown):
    assert code(given) == shown


def test_report(asked):
    text = markdown(contents(asked))
    outside = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<(?!/?details>|/?summary>|!-- -->)", outside)
    assert "@someone" not in outside
    assert "| params | 11.69 M |" in text
    assert "154 images/s" in text
    assert re.search(r"\| `?stem.width`? \| 64 \| auto \|", text)  # its 0 is no width
    assert "### Where this was made" not in text
    assert "### Where the costs are" not in text
    assert text.count("<details>") == text.count("</details>") == 4


def test_rows_of_a_table_have_the_columns_of_its_head(asked):
    width = 0
    for line in markdown(contents(asked)).splitlines():
        columns = line.replace(r"\|", "").count("|")
        width = width or columns
        assert columns == width or not line.startswith("|")
        width = columns if line.startswith("|") else 0
