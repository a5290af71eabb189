"""The closed vocabulary of layers: frozen records that know their costs and their torch module."""

from convlab.layers.activations import ACTIVATIONS, Activation
from convlab.layers.attention import Attention
from convlab.layers.branching import Parallel, Split
from convlab.layers.convolutions import Convolution, Depthwise, Linear, Pointwise
from convlab.layers.layer import Field, Layer, Live, Named, Row
from convlab.layers.norms import NORMS, BatchNorm, GlobalResponseNorm, GroupNorm, LayerNorm, RMSNorm
from convlab.layers.pooling import AveragePool, Dropout, Flatten, GlobalAveragePool, GlobalMaxPool, MaxPool
from convlab.layers.saving import Saved, saved
from convlab.layers.shape import Shape, Window
from convlab.layers.tokens import FirstToken, SpaceToDepth, Tokens
from convlab.layers.tree import Chain, Gate, LayerScale, Repeat, Residual, chain, walk

__all__ = [
    "ACTIVATIONS",
    "NORMS",
    "Activation",
    "Attention",
    "AveragePool",
    "BatchNorm",
    "Chain",
    "Convolution",
    "Depthwise",
    "Dropout",
    "Field",
    "FirstToken",
    "Flatten",
    "Gate",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "GlobalResponseNorm",
    "GroupNorm",
    "Layer",
    "LayerNorm",
    "LayerScale",
    "Linear",
    "Live",
    "MaxPool",
    "Named",
    "Parallel",
    "Pointwise",
    "RMSNorm",
    "Repeat",
    "Residual",
    "Row",
    "Saved",
    "Shape",
    "SpaceToDepth",
    "Split",
    "Tokens",
    "Window",
    "chain",
    "saved",
    "walk",
]
