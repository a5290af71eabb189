"""Weights: loaded from other projects' checkpoints into a built model, and converted between their layouts."""

from typing import Final

from convlab.weights.report import Line, Report

__all__ = ["LAYOUTS", "Line", "Report"]

LAYOUTS: Final = ("timm", "torchvision", "facebookresearch", "fcmae", "transformers", "transformers_5", "convlab")
"""Whose names a checkpoint can use, in the order of preference where names fit several."""
