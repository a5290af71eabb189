"""Names of classes and functions: by the words of the field, each once."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import final

from convlab.language.blocks import ATTENTION_KINDS, Block

SPELLED = {
    "bottleneck": "Bottleneck",
    "inverted": "InvertedBottleneck",
    "convnext": "ConvNeXtBlock",
    "convnext_v2": "ConvNeXtV2Block",
    "mbconv": "MBConv",
    "fused_mbconv": "FusedMBConv",
    "regnet_x": "RegNetXBlock",
    "regnet_y": "RegNetYBlock",
    "vit": "ViTBlock",
    "custom": "Block",
}
"""Kinds of blocks whose classes are not spelled as their words are."""

ORDERS = {"separable": "SeparableConv", "single": "ConvBlock"}
"""Orders of convolutions that make a block another, whatever its kind."""

FAMILIES = {
    "convnext_v2": "ConvNeXtV2",
    "convnext": "ConvNeXt",
    "resnet": "ResNet",
    "resnext": "ResNeXt",
    "regnetx": "RegNetX",
    "regnety": "RegNetY",
    "efficientnet_v2": "EfficientNetV2",
    "efficientnet": "EfficientNet",
    "mobilenet_v2": "MobileNetV2",
    "swin": "SwinTransformer",
    "vit": "VisionTransformer",
    "deit": "DeiT",
    "repvgg": "RepVGG",
    "replknet": "RepLKNet",
}
"""Families by the beginnings of their members' names."""

RESERVED = frozenset({"torch", "nn", "math", "Tensor", "Sequence", "OrderedDict", "functional", *dir(builtins)})
"""Names that a file uses otherwise."""


@final
class Names:
    """Hands out names, each once."""

    def __init__(self, taken: frozenset[str]) -> None:
        self.taken = set(taken | RESERVED)

    def free(self, name: str) -> str:
        """The name, or the name with the first number that makes it a new one."""
        found = next(
            free for free in (name, *(f"{name}{index}" for index in range(2, 10_000))) if free not in self.taken
        )
        self.taken.add(found)
        return found


def block_name(block: Block) -> str:
    """The name of a block's class."""
    if block.kind not in (*ATTENTION_KINDS, "custom") and block.order in ORDERS:
        return ORDERS[block.order]
    return SPELLED.get(block.kind) or "".join(word.capitalize() for word in block.kind.split("_")) + "Block"


def family(name: str) -> str:
    """The name of the class of a whole network."""
    return next((title for start, title in FAMILIES.items() if function_name(name).startswith(start)), "ConvNet")


def function_name(name: str) -> str:
    """The name of the function that makes a design."""
    found = re.sub(r"\W+", "_", name.rpartition("/")[2], flags=re.ASCII).strip("_").lower()
    if not found or keyword.iskeyword(found) or keyword.issoftkeyword(found):
        return f"{found}_network".strip("_")
    return f"network_{found}" if found[0].isdigit() else found
