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
# as the strides before it multiply to. Growth is slow at first and fast in the deep third stage.

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
# field, but the shape is there from the start.

# %%
import torch

design = convlab.load("convnext_atto")
images = torch.randn(8, 3, 224, 224, generator=torch.manual_seed(0), requires_grad=True)
last = convlab.features(design, out_indices=(3,))(images)["stages.3"]
last[:, :, last.shape[2] // 2, last.shape[3] // 2].sum().backward()
weight = images.grad.abs().mean((0, 1))

# %%
import plotly.graph_objects as go

heat = go.Figure(
    go.Heatmap(z=weight.clamp(max=weight.quantile(0.995)).numpy(), colorscale="Viridis", colorbar={"title": "weight"})
)
heat.update_layout(width=520, height=480, title="ConvNeXt-Atto: how much each pixel weighs, random weights")
heat.update_yaxes(scaleanchor="x", autorange="reversed", title="px").update_xaxes(title="px")

# %% [markdown]
# Theory and practice in two numbers: the side of the exact interval, and the side of the smallest centred square that
# holds half of the weight.

# %%
centre = weight.shape[0] // 2
shares = [
    weight[centre - half : centre + half, centre - half : centre + half].sum() / weight.sum()
    for half in range(1, centre)
]
half_of_it = 2 * (1 + next(place for place, share in enumerate(shares) if share > 0.5))
print(f"theory {convlab.profile(design).receptive_field.widest.size} px, half of the weight within {half_of_it} px")
