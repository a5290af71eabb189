"""What the named kinds of stems, blocks and downsamplings are, in a sentence each, and where they were published."""

from __future__ import annotations

from collections.abc import Mapping

STEMS = {
    "patchify": "One convolution whose kernel is as wide as its stride: patches without overlap (ViT, Swin, ConvNeXt).",
    "conv": "One strided convolution, by default 7x7 before a max pool (ResNet).",
    "overlap": "One convolution whose kernel is wider than its stride.",
    "deep": "Several 3x3 convolutions, of which the first is strided.",
}

BLOCKS = {
    "basic": "Two spatial convolutions (ResNet-18 and 34; He et al., 2016, arXiv:1512.03385).",
    "bottleneck": "A spatial convolution between two pointwise ones, at a quarter of the width (ResNet-50; He et al., 2016, "
    "arXiv:1512.03385).",
    "inverted": "A bottleneck turned inside out: a depthwise convolution at four times the width, as in the walk to ConvNeXt.",
    "convnext": "A depthwise 7x7, a layer norm, a pointwise expansion and projection (Liu et al., 2022, arXiv:2201.03545).",
    "convnext_v2": "ConvNeXt's block with global response normalisation (Woo et al., 2023, arXiv:2301.00808).",
    "mbconv": "A pointwise expansion, a depthwise convolution with squeeze-excite, a projection without an activation "
    "(MobileNetV2, EfficientNet; Tan and Le, 2019, arXiv:1905.11946).",
    "fused_mbconv": "MBConv whose expansion and depthwise convolution are one convolution (EfficientNetV2; Tan and Le, 2021, "
    "arXiv:2104.00298).",
    "regnet_x": "A bottleneck of one width, in groups (Radosavovic et al., 2020, arXiv:2003.13678).",
    "regnet_y": "RegNetX's block with squeeze-excite (Radosavovic et al., 2020, arXiv:2003.13678).",
    "swin": "Attention within windows, shifted in every second block, then a pointwise expansion and projection (Liu et al., 2021, "
    "arXiv:2103.14030).",
    "vit": "Attention of the whole map, then a pointwise expansion and projection (Dosovitskiy et al., 2021, arXiv:2010.11929).",
}

DOWNSAMPLINGS = {
    "separate": "A norm and a strided convolution between the stages (ConvNeXt).",
    "in_block": "The first block of a stage carries the stride (ResNet).",
    "max_pool": "A max pool, a pointwise convolution and a norm.",
    "average_pool": "An average pool, a pointwise convolution and a norm.",
    "patch_merging": "The pixels of a patch side by side as channels, a norm and a linear layer (Swin; Liu et al., 2021, "
    "arXiv:2103.14030).",
}

KIND_WORDS: Mapping[str, Mapping[str, str]] = {"stem": STEMS, "block": BLOCKS, "downsample": DOWNSAMPLINGS}
"""By section; kinds that are written as layers explain themselves by their layers."""
