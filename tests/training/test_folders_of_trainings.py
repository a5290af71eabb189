"""A folder of a training: one process at a time, and what is told where it cannot be had."""

import subprocess
import sys

import pytest
from small_trainings import trained_in, work_of

from convlab import ConvlabError
from convlab.training.keeping.folders import LOCK, held_alone

HOLD = """
import sys, time
from filelock import FileLock

with FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_another_process_is_refused_and_a_killed_one_blocks_nobody(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / LOCK)], stdout=subprocess.PIPE)
    try:
        assert other.stdout.read(4) == b"held"
        with pytest.raises(ConvlabError, match="another training is at work in") as raised:
            trained_in(tmp_path)
        assert raised.value.problems[0].code == "already-there"
    finally:
        other.kill()
        other.communicate()
    assert trained_in(tmp_path).steps == 8


def test_a_training_under_way_has_its_folder_alone(tmp_path):
    work = work_of(tmp_path)
    next(work)
    with pytest.raises(ConvlabError, match="another training is at work in"):
        trained_in(tmp_path, resume=True)
    work.close()
    assert trained_in(tmp_path, resume=True).steps == 8


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConvlabError, match="cannot make the folder"), held_alone(tmp_path / "file" / "folder"):
        pass
