"""Runnable PyTorch models from designs."""

from convlab.models.builder import build
from convlab.models.containers import ConvNet

__all__ = ["ConvNet", "build"]
