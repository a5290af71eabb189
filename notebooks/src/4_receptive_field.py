# %% [markdown]
# # 4. The receptive field
#
# What can one pixel of the last feature map see? In theory an interval that kernels, strides and attention windows
# give exactly; in practice much less, because most paths lead to the middle.

# %%
import convlab
from convlab import charts
from convlab.notebook import Explorer

# %% [markdown]
# ## In theory
#
# Every layer of kernel *k* adds *k - 1* pixels of its own map, and a pixel of that map is as many pixels of the image
# as the strides before it multiply to. A layer adds little at first and much in the deep third stage, where a pixel of
# the map is 16 of the image; the axis is logarithmic.

# %%
names = ["resnet50", "convnext_t", "swin_t"]
profiles = [convlab.profile(convlab.load(name)) for name in names]
charts.receptive_field(profiles)

# %%
charts.receptive_image(profiles[1])

# %% [markdown]
# Kernel sizes are nearly free in MACs (notebook 3), and what they buy is drawn here. In which stage does a large
# kernel change most?

# %%
Explorer("convnext_t", knobs=[*(f"stages.{stage}.block.kernel_size" for stage in range(4)), "stages.2.depth"])

# %% [markdown]
# ## In practice
#
# The gradient of one output pixel with respect to the image says how much each input pixel weighs. Over a few random
# images its mean is the *effective* receptive field (Luo et al., 2016). These weights are random: training widens the
# field, but what a network starts from can be seen.
#
# ConvNeXt multiplies what a block adds by 1e-6 at first (layer scale): it starts as if it had no blocks, and sees what
# its narrowest path sees, a square of 32 px. Without layer scale its kernels speak from the start, and more than half
# of the weight lies outside that square.

# %%
import torch

published = convlab.load("convnext_atto")
designs = {"layer scale 1e-6": published, "no layer scale": convlab.turn(published, "block.layer_scale", 0)}
weights = {}
for name, design in designs.items():
    images = torch.randn(8, 3, 224, 224, generator=torch.manual_seed(0), requires_grad=True)
    last = convlab.features(design, out_indices=(3,), seed=0)(images)["stages.3"]
    last[:, :, last.shape[2] // 2, last.shape[3] // 2].sum().backward()
    weights[name] = images.grad.abs().mean((0, 1))

# %%
heat = charts.blank("ConvNeXt-Atto, random weights: how much each pixel weighs", width=900, height=480)
for place, (name, weight) in enumerate(weights.items()):
    shown = (weight / weight.max()).sqrt().numpy().round(3)  # the root, so that small weights are seen, too
    axes = {"xaxis": f"x{place + 1}", "yaxis": f"y{place + 1}"}
    heat.add_heatmap(z=shown, colorscale="Cividis", zmin=0, zmax=1, showscale=place == 1, name=name, **axes)
    heat.update_layout(
        {f"xaxis{place + 1}": {"title": f"column, px ({name})", "domain": [0.54 * place, 0.46 + 0.54 * place]}}
    )
    heat.update_layout(
        {f"yaxis{place + 1}": {"anchor": f"x{place + 1}", "autorange": "reversed", "scaleanchor": f"x{place + 1}"}}
    )
heat.update_traces(colorbar_title="root of<br>weight", selector={"showscale": True})
heat.update_layout(yaxis_title="row, px")

# %% [markdown]
# Theory and practice in numbers: the sides of the widest and the narrowest path, which are exact, and the side of the
# smallest centred square that holds half of the weight.

# %%
for name, weight in weights.items():
    field = convlab.profile(designs[name]).receptive_field
    middle = 112  # the pixel of the last map that was asked is that of the middle
    held = [
        weight[middle - half : middle + half, middle - half : middle + half].sum() / weight.sum()
        for half in range(1, middle)
    ]
    side = 2 * (1 + next(place for place, share in enumerate(held) if share > 0.5))
    widest, narrowest = field.widest.size, field.narrowest.size
    print(f"{name:16} widest path {widest} px, narrowest {narrowest} px, half of the weight within {side} px")
