"""Runnable PyTorch models from designs."""

from convlab.models.builder import build
from convlab.models.containers import ConvNet
from convlab.models.folding import fold

__all__ = ["ConvNet", "build", "fold"]
