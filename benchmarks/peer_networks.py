"""The networks that are compared: their names with us and with our peers, their weights, and the proof that they are the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import torch
from torch import nn

import convlab
from convlab.errors import ConvlabError
from convlab.measurement.running.alike import alike
from convlab.measurement.running.packages import Logits
from convlab.measurement.running.subjects import Subject, params_and_macs, subject

SAME = 1e-4
"""The largest difference of outputs, relative to the largest output, up to which networks with the same weights are the same."""


@final
@dataclass(frozen=True)
class Peers:
    """One network: its preset, its names with the others by package, and the side of its images in pixels."""

    preset: str
    others: tuple[str, ...]
    image: int = 224


NETWORKS = (
    Peers("convnext_t", ("timm:convnext_tiny", "torchvision:convnext_tiny", "transformers:convnext")),
    Peers(
        "convnext_b",
        (
            "timm:convnext_base",
            "torchvision:convnext_base",
            "transformers:convnext{depths = [3, 3, 27, 3], hidden_sizes = [128, 256, 512, 1024]}",
        ),
    ),
    Peers("resnet50", ("timm:resnet50", "torchvision:resnet50", "transformers:resnet")),
    Peers(
        "regnety_4gf",
        (
            "timm:regnety_040",
            "transformers:regnet{layer_type = 'y', groups_width = 64, depths = [2, 6, 12, 2],"
            " hidden_sizes = [128, 192, 512, 1088]}",
        ),
    ),
    Peers(
        "efficientnet_b4",
        (
            "timm:efficientnet_b4",
            "torchvision:efficientnet_b4",
            "transformers:efficientnet{width_coefficient = 1.4, depth_coefficient = 1.8, hidden_dim = 1792}",
        ),
        380,
    ),
    Peers("swin_t", ("timm:swin_tiny_patch4_window7_224", "torchvision:swin_t", "transformers:swin")),
    Peers(
        "deit_s",
        (
            "timm:deit_small_patch16_224",
            "transformers:vit{hidden_size = 384, num_attention_heads = 6, intermediate_size = 1536}",
        ),
    ),
)


def made(source: str, image: tuple[int, int]) -> Subject:
    """A network without dropout, with weights that are drawn alike for all packages, so that none computes with vanishing numbers."""
    found = subject(source, image=image)
    return replace(found, build=lambda: alike(found.build()))


def parity(preset: str, other: str, image: tuple[int, int]) -> dict[str, Any]:
    """How our network and another package's are known to be the same: outputs with the same weights, parameters and multiply-adds."""
    ours, theirs = subject(preset, image=image), made(other, image)
    (params, macs), (their_params, their_macs) = params_and_macs(ours), params_and_macs(theirs)
    found: dict[str, Any] = {
        "params": [params, their_params],
        "macs": [macs, their_macs],
        "difference": None,
        "said": "",
    }
    network = theirs.build().eval()
    model = ours.build().eval()
    assert isinstance(model, nn.Module)
    try:
        weights = network.network if isinstance(network, Logits) else network
        convlab.load_weights(model, weights.state_dict())  # type: ignore[arg-type]  # a design's subject builds a ConvNet
    except ConvlabError as error:
        found["said"] = f"weights not carried over: {error.problems[0].message}"
        return found
    images = torch.randn(1, *theirs.image, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = network(images)
        found["difference"] = float((model(images) - expected).abs().max() / expected.abs().max())
    return found


def same(found: dict[str, Any]) -> bool:
    """Whether a proof says that the networks are the same: by their outputs or, where these are not there, by their counts."""
    if found["difference"] is not None:
        return bool(found["difference"] <= SAME)
    return bool(found["params"][0] == found["params"][1] and found["macs"][0] == found["macs"][1])


def told(found: dict[str, Any]) -> str:
    """The sentence that goes with a proof."""
    (params, their_params), (macs, their_macs) = found["params"], found["macs"]
    counts = "parameters and MACs equal"
    if params != their_params or macs != their_macs:
        counts = f"ours {params:,} parameters and {macs:,} MACs, theirs {their_params:,} and {their_macs:,}"
    difference = found["difference"]
    outputs = found["said"] if difference is None else f"outputs with the same weights differ by {difference:.1e}"
    return f"{'the same' if same(found) else 'ANOTHER NETWORK'}: {outputs}; {counts}"
