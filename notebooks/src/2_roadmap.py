# %% [markdown]
# # 2. The roadmap
#
# *A ConvNet for the 2020s* (Liu et al., 2022) starts from a ResNet-50 that is trained as Swin is, and changes one
# thing after the other until it has ConvNeXt-T. Every step of that walk is a design here, a few knobs from its
# neighbour.

# %%
import convlab
from convlab import charts
from convlab.notebook import Explorer
from convlab.views.roadmap import roadmap_table, steps

# %%
walk = steps()
roadmap_table(walk)

# %% [markdown]
# ## The paper's Figure 2
#
# Accuracy is published (three seeds, ImageNet-1K), multiply-adds are counted here. Two steps cost capacity for a
# moment, *depthwise* and *move up*, and are paid back by the next one: read the walk in groups, not step by step.

# %%
charts.walk()

# %%
charts.waterfall()

# %% [markdown]
# ## What a step changes
#
# *Inverting the dimensions* puts the wide part of the block inside: hidden width 4 times the output, and the
# depthwise convolution runs on it. *Moving it up* brings the convolution to the front, where the map is narrow, so
# that a larger kernel is affordable.

# %%
inverted = convlab.profile(convlab.load("roadmap/06_inverted_bottleneck"))
moved_up = convlab.profile(convlab.load("roadmap/07_moved_up"))
kernel_7 = convlab.profile(convlab.load("roadmap/09_kernel_7"))

# %%
charts.blocks([inverted, moved_up, kernel_7], stage=1)

# %%
charts.costs([inverted, moved_up, kernel_7], by="stage")

# %% [markdown]
# ## Walk it yourself
#
# The controls are the knobs that the walk turns. The explorer starts from the baseline; the hatched bars are
# ConvNeXt-T. Can you get to the same MACs by another way?

# %%
lab = Explorer(
    "roadmap/01_baseline",
    against="convnext_t",
    knobs=[
        *(f"stages.{stage}.depth" for stage in range(4)),
        "block.groups",
        "block.expansion_ratio",
        "block.order",
        "block.kernel_size",
        "block.norm",
        "block.activation",
    ],
)
lab

# %% [markdown]
# ## Does it hold on a small scale?
#
# Published numbers are of 300 epochs of ImageNet. `convlab roadmap --train` trains every step for minutes on small
# images, and says honestly which steps such a training can judge; `6_proxy_training` shows how.
