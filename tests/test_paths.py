"""Paths as people write them: a home that is not there and names that no file can have are refused, wherever a path is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from convlab import ConvlabError, open_store
from convlab.paths import expanded
from convlab.training.data.registry import dataset
from convlab.training.keeping.job import located

TAKERS = (expanded, dataset, located, lambda path: open_store(path).close())


@pytest.mark.parametrize("take", TAKERS)
@pytest.mark.parametrize(
    ("path", "why"),
    [("~nosuchuser/x", "no such home folder"), ("x" * 5000, "File name too long"), ("a\0b", "a zero byte")],
)
def test_what_is_no_path_is_refused(take, path, why):
    with pytest.raises(ConvlabError, match=why) as raised:
        take(path)
    assert raised.value.exit_code == 2
    assert len(str(raised.value)) < 500


def test_a_path_need_not_be_there(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/deep/x") == tmp_path / "deep" / "x"
    (tmp_path / "file").touch()
    assert expanded("~/file/below") == tmp_path / "file" / "below"
    assert expanded(Path("x")) == Path("x")
