"""Calibration: measures a device once, so that the speed of any design can be predicted on it."""

from convlab.measurement.calibration.calibrating import LEAST_SECONDS, MOST_SECONDS, SCALES, calibrate
from convlab.measurement.calibration.recording import calibration_rows

__all__ = ["LEAST_SECONDS", "MOST_SECONDS", "SCALES", "calibrate", "calibration_rows"]
