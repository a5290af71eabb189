"""Prediction: how long a design will take on a device that was calibrated once. Nothing here imports torch or numpy."""

from convlab.prediction.calibration import Calibration, Table
from convlab.prediction.predicting import Prediction, Predictions, predict, predictions
from convlab.prediction.shelf import Choice, calibration_folder, choice, files, put, read

__all__ = [
    "Calibration",
    "Choice",
    "Prediction",
    "Predictions",
    "Table",
    "calibration_folder",
    "choice",
    "files",
    "predict",
    "predictions",
    "put",
    "read",
]
