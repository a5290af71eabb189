"""What chance may have done to the figures of a training."""

import dataclasses

import torch
from test_trainings import data

from convlab.training.data.datasets import Split
from convlab.training.verdicts.ranking import Score, ranked
from convlab.views.chance import chance_notes


def balanced(count, **changes):
    split = Split(torch.zeros(count, 1, 8, 8, dtype=torch.uint8), torch.arange(count) % 2)
    return dataclasses.replace(data(), validation=split, test=split, **changes)


def told(accuracies, set_of):
    found = ranked([Score(name, 0, 1.0, accuracy) for name, accuracy in accuracies.items()])
    return [note.message for note in chance_notes(found, set_of)]


def test_the_sampling_error_of_few_pictures_is_told():
    (message,) = told({"a": 0.95}, balanced(15))
    assert message.startswith("15 validation and 15 test pictures")
    assert "± 25 and 25 points" in message
    assert told({"a": 0.95}, balanced(500)) == []
    assert told({}, balanced(15)) == []


def test_a_design_that_guesses_is_named():
    (message,) = told({"good": 0.9, "lost": 0.53}, balanced(1000))
    assert message == "lost: no better than a guess, which is right in 50.0 % of the pictures"
