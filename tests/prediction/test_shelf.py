"""Calibrations as files: written whole, read again, and refused with a reason where they cannot be read."""

import json

import pytest

from convlab.errors import ConvlabError
from convlab.prediction import choice, files, put, read
from convlab.prediction.calibration import calibration_of, text_of


def refused(text):
    with pytest.raises(ConvlabError) as caught:
        calibration_of(text, "cpu.json")
    return caught.value.problems[0]


def test_what_is_written_is_read(made, home):
    path = put(made)
    assert path.is_relative_to(home)
    assert read(path) == made
    assert calibration_of(text_of(made), "") == made
    assert files() == (path,)
    assert choice().calibration == made


def test_a_newer_one_takes_the_place_of_an_older_one(made, home):
    put(made)
    put(made)
    assert len(files()) == 1


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", '{"kind": "something else"}', '{"kind": "convlab calibration", "format": 1}'],
)
def test_what_is_no_calibration(text):
    assert refused(text).code == "bad-calibration"


@pytest.mark.parametrize("key", ["machine", "tables", "optimizer", "dtype", "terms", "ceilings"])
@pytest.mark.parametrize("value", [None, "text", {"a": "b"}])
def test_a_damaged_one(made, key, value):
    assert refused(json.dumps(json.loads(text_of(made)) | {key: value})).code == "bad-calibration"


@pytest.mark.parametrize("rate", [-1, float("nan"), float("inf"), "x", None])
def test_a_rate_that_is_none(made, rate):
    plain = json.loads(text_of(made))
    plain["tables"]["inference"]["laws"]["linear"]["rates"][1] = rate
    assert refused(json.dumps(plain)).code == "bad-calibration"


def test_a_newer_format(made):
    problem = refused(json.dumps(json.loads(text_of(made)) | {"format": 2}))
    assert problem.code == "newer-format"
    assert "convlab calibrate" in problem.help


def test_a_damaged_file_does_not_stop_predictions_from_another(made, home):
    path = put(made)
    path.with_name("broken.json").write_text("{")
    found = choice()
    assert found.calibration == made
    assert found.passed_over == ("broken.json: the calibration cannot be read: it is not JSON",)


def test_a_folder_that_cannot_be_made(made, home):
    home.write_text("a file")
    with pytest.raises(ConvlabError, match="cannot make the folder"):
        put(made)
