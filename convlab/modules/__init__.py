"""The few torch modules that torch itself lacks. Maps are NCHW everywhere; norms and linear layers keep channels last in memory."""

from convlab.modules.convolutions import PaddedConv2d, PointwiseLinear, convolution
from convlab.modules.drop_path import DropPath
from convlab.modules.norms import GlobalResponseNorm2d, GroupNorm2d, LayerNorm2d, RMSNorm2d
from convlab.modules.pooling import GlobalAveragePool2d, GlobalMaxPool2d

__all__ = [
    "DropPath",
    "GlobalAveragePool2d",
    "GlobalMaxPool2d",
    "GlobalResponseNorm2d",
    "GroupNorm2d",
    "LayerNorm2d",
    "PaddedConv2d",
    "PointwiseLinear",
    "RMSNorm2d",
    "convolution",
]
