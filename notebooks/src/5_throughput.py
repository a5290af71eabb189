# %% [markdown]
# # 5. Throughput, and why FLOPs mislead
#
# A device does not pay for multiply-adds alone: it moves maps through memory and starts every layer. This notebook
# measures small networks on the device that you have, a GPU where there is one.

# %%
import torch

import convlab
from convlab import Conditions, Protocol, charts, finished

device = "cuda" if torch.cuda.is_available() else "cpu"
names = ["resnet18", "regnetx_800mf", "efficientnet_b0", "convnext_atto"]

# %% [markdown]
# ## Before measuring: what do the counts say?
#
# By multiply-adds EfficientNet-B0 should be the fastest of the four, ResNet-18 by far the slowest.

# %%
for name in names:
    profile = convlab.profile(convlab.load(name), image=96)
    print(f"{name:16} {profile.macs / 1e6:6.0f} M multiply-adds, {profile.activations / 1e6:5.2f} M activations")

# %% [markdown]
# ## Measure
#
# All networks take turns in the same rounds, so that a busy machine disturbs them alike. The intervals are honest:
# where they overlap, do not rank. A second each, as here, is for looking; ten and more for a claim.

# %%
protocol = Protocol(seconds=1, warm_up_s=0.5)
measured = finished(
    convlab.benchmark(names, image=(96, 96), conditions=Conditions(device=device, batch=8), protocol=protocol)
)
measured

# %% [markdown]
# ## Multiply-adds a second
#
# If FLOPs were the cost, this column would be one number. A dense 3x3 convolution works near the device's ceiling, a
# depthwise one waits for memory: it does *k²* multiply-adds for each number that it reads, a dense one *k²* times the
# width.

# %%
for row in measured.rows:
    print(f"{row.subject.name:16} {row.macs * row.images_per_second.median / 1e9:7.1f} G multiply-adds/s")

# %% [markdown]
# The same as a chart. The line is what each network would do at ResNet-18's multiply-adds a second: a dot below it pays
# for something else, too.

# %%
rate = measured.rows[0].macs * measured.rows[0].images_per_second.median
sizes = range(60, 361, 10)
dots = charts.blank(f"Speed against multiply-adds ({device})", width=760, height=460)
dots.add_scatter(
    x=[*sizes], y=[rate / (size * 1e6) for size in sizes], line_dash="dash", name="as fast as ResNet-18 computes"
)
dots.add_scatter(
    x=[row.macs / 1e6 for row in measured.rows],
    y=[row.images_per_second.median for row in measured.rows],
    text=[row.subject.name for row in measured.rows],
    mode="markers+text",
    textposition="bottom right",
    cliponaxis=False,
    marker_size=11,
    name="measured",
)
dots.update_layout(margin_t=80, margin_r=110)
dots.update_xaxes(title="multiply-adds of an image, M", rangemode="tozero").update_yaxes(
    title="images/s", rangemode="tozero"
)

# %% [markdown]
# ## The batch matters too
#
# One image leaves most of a device idle. From some batch on, the knee, more images only wait longer.

# %%
rising = [
    finished(
        convlab.benchmark(
            ["resnet18", "convnext_atto"],
            image=(64, 64),
            conditions=Conditions(device=device, batch=batch),
            protocol=Protocol(seconds=0.4, warm_up_s=0.2),
        )
    )
    for batch in (1, 8, 32)
]
charts.throughput(
    {name: [found.rows[place] for found in rising] for place, name in enumerate(["resnet18", "convnext_atto"])}
)

# %% [markdown]
# ## Predict instead of measuring
#
# `convlab calibrate` measures this device once, for a minute or two. From then on the cards of an `Explorer` predict
# latency and throughput of every design, with their uncertainty, while you move a slider.
