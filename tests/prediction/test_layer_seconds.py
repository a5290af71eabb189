"""Predicted time layer by layer: with what lies between layers it is the prediction of the network."""

import dataclasses

import pytest

import convlab
from convlab.prediction import predictions
from convlab.prediction.predicting import layer_seconds
from convlab.views.shares import BETWEEN, shares


@pytest.mark.parametrize("name", ["convnext_atto", "resnet18", "swin_t"])
def test_layers_sum_to_the_network(made, name):
    found = convlab.profile(convlab.load(name))
    seconds = layer_seconds(found, made)
    whole = predictions(found, made).inference.seconds
    assert sum(seconds.values()) == pytest.approx(whole, rel=0.05)
    assert seconds[""] > 0
    assert set(seconds) <= {row.path for row in found.rows} | {""}
    rows = shares(found, "seconds", by="stage", calibration=made)
    assert rows[-1].name == BETWEEN
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert rows[1].text.endswith("ms")


def test_nothing_where_inference_was_not_calibrated(made):
    found = convlab.profile(convlab.load("resnet18"))
    training_alone = dataclasses.replace(made, tables={"training": made.tables["training"]})
    assert layer_seconds(found, training_alone) is None
