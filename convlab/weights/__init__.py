"""Weights: loaded from other projects' checkpoints into a built model, and converted between their layouts."""

from typing import Final

from convlab.weights.report import Line, Report

__all__ = ["FOLDED", "LAYOUTS", "Line", "Report"]

LAYOUTS: Final = ("timm", "torchvision", "facebookresearch", "fcmae", "transformers", "transformers_5", "convlab")
"""Whose names a checkpoint can use, in the order of preference where names fit several."""

FOLDED: Final = "convlab_folded"
"""What a file of ours says "true" of where its weights are those of a folded network."""
