"""The model card: what a network is, what it costs, and how it is loaded, as the README of its folder."""

from __future__ import annotations

from convlab import units
from convlab.costs import Profile, profile
from convlab.exports.origin import Origin
from convlab.language.writing import text_of

_CARD = """\
---
library_name: timm
pipeline_tag: image-classification
tags:
- image-classification
- timm
- convlab
---

# {name}

{summary}

Weights: {weights}.

| for one image of {image} px | |
|---|---|
{costs}

MACs are multiply-adds. Activations are the outputs of convolutions and linear layers. Peak memory is that of activations at inference in
float32, without the weights. The receptive field is that of one pixel of the last feature map over its widest path.

## Design

As a design of convlab (`design.toml` holds every knob of it):

```toml
{toml}
```

## Use

With timm:

```python
import convlab.timm  # registers the architecture
import timm

model = timm.create_model("{source}", pretrained=True).eval()
```

With convlab alone, in a copy of this folder:

```python
import convlab
from safetensors.torch import load_file

model = convlab.build(convlab.load("design.toml")).eval()
model.load_state_dict(load_file("model.safetensors"))
```
"""


def model_card(origin: Origin, *, name: str, source: str) -> str:
    """The card as Markdown; ``source`` is how timm names the place, such as "hf-hub:user/name"."""
    found = profile(origin.design)
    return _CARD.format(
        name=name,
        summary=origin.design.summary or "A design without a summary.",
        weights=origin.weights_text,
        image="x".join(map(str, found.image)),
        costs="\n".join(f"| {title} | {text} |" for title, text in _costs(found)),
        toml=text_of(origin.design).strip(),
        source=source,
    )


def _costs(found: Profile) -> list[tuple[str, str]]:
    widest = found.receptive_field.widest
    return [
        ("parameters", f"{units.count(found.params)} ({found.params:,})"),
        ("MACs", f"{units.count(found.macs)} ({found.macs:,})"),
        ("activations", units.count(found.activations)),
        ("peak memory", units.size(found.peak_bytes())),
        ("weights in float32", units.size(4 * found.params)),
        ("receptive field", "global" if widest is None else f"{widest.size} px"),
        ("last feature map", "x".join(map(str, found.features))),
        ("key", f"`{found.design.key}`"),
    ]
