"""The few torch modules that torch itself lacks. Maps are NCHW everywhere; norms and linear layers keep channels last in memory."""

from convlab.modules.activations import GELU2d, InPlaceHardswish, InPlaceReLU, InPlaceReLU6, InPlaceSiLU
from convlab.modules.attention import GlobalAttention2d, WindowAttention2d
from convlab.modules.convolutions import PaddedConv2d, PointwiseLinear, SubsampledConv2d, convolution
from convlab.modules.drop_path import DropPath
from convlab.modules.norms import GlobalResponseNorm2d, GroupNorm2d, LayerNorm2d, RMSNorm2d
from convlab.modules.pooling import GlobalAveragePool2d, GlobalMaxPool2d
from convlab.modules.tokens import FirstToken2d, SpaceToDepth2d, Tokens2d

__all__ = [
    "DropPath",
    "FirstToken2d",
    "GELU2d",
    "GlobalAttention2d",
    "GlobalAveragePool2d",
    "GlobalMaxPool2d",
    "GlobalResponseNorm2d",
    "GroupNorm2d",
    "InPlaceHardswish",
    "InPlaceReLU",
    "InPlaceReLU6",
    "InPlaceSiLU",
    "LayerNorm2d",
    "PaddedConv2d",
    "PointwiseLinear",
    "RMSNorm2d",
    "SpaceToDepth2d",
    "SubsampledConv2d",
    "Tokens2d",
    "WindowAttention2d",
    "convolution",
]
