"""The few torch modules that torch itself lacks. Maps are NCHW to the eye everywhere; those that work on channels keep them last in memory."""

from convlab.modules.convolutions import PaddedConv2d, PointwiseLinear, convolution
from convlab.modules.drop_path import DropPath
from convlab.modules.norms import GlobalResponseNorm2d, LayerNorm2d, RMSNorm2d
from convlab.modules.pooling import GlobalAveragePool2d, GlobalMaxPool2d

__all__ = [
    "DropPath",
    "GlobalAveragePool2d",
    "GlobalMaxPool2d",
    "GlobalResponseNorm2d",
    "LayerNorm2d",
    "PaddedConv2d",
    "PointwiseLinear",
    "RMSNorm2d",
    "convolution",
]
