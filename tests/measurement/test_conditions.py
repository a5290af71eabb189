"""The conditions: what cannot be run is refused with a way out, what is left open is filled in."""

import pytest
import torch

from convlab import ConvlabError
from convlab.measurement.running.conditions import Conditions, checked


def test_threads_and_device_are_filled_in():
    found = checked(Conditions(device="cpu"))
    assert found.threads == torch.get_num_threads()
    assert found.device == "cpu"
    assert found == checked(found)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"task": "inferense"}, 'did you mean "inference"'),
        ({"dtype": "half"}, "float32, tf32, bfloat16, float16"),
        ({"mode": "compile"}, 'did you mean "compiled"'),
        ({"batch": 0}, "batch must be an integer of at least 1, not 0"),
        ({"batch": 2.5}, "batch must be an integer of at least 1, not 2.5"),
        ({"batch": True}, "not true"),
        ({"threads": -1}, "threads must be"),
        ({"device": "tpu"}, 'there is no device "tpu" here'),
        ({"device": "meta"}, "nothing to measure"),
        ({"dtype": "tf32"}, "NVIDIA"),
        ({"cuda_graphs": True}, "NVIDIA"),
    ],
)
def test_what_cannot_be_run_is_refused(given, words):
    with pytest.raises(ConvlabError) as caught:
        checked(Conditions(**given))
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(ConvlabError) as caught:
        checked(Conditions(task="", batch=0))
    assert len(caught.value.problems) == 2
