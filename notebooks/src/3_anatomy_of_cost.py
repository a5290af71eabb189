# %% [markdown]
# # 3. The anatomy of cost
#
# Two networks with equal multiply-adds may differ by a factor of two in memory and in speed. This notebook looks at
# where the figures lie.

# %%
import convlab
from convlab import charts
from convlab.notebook import Explorer
from convlab.views.comparison import comparison

# %%
names = ["resnet50", "convnext_t", "swin_t"]
profiles = [convlab.profile(convlab.load(name)) for name in names]
comparison(profiles)

# %% [markdown]
# ## Multiply-adds live in the middle, parameters at the end
#
# A stage halves the sides of the map and doubles the width: a 1x1 convolution then costs as many multiply-adds as
# before, with four times the parameters. So the third stage, which is deep, has the MACs, and the last one, which is
# wide, the parameters.

# %%
charts.costs(profiles, measure="macs")

# %%
charts.costs(profiles, measure="params")

# %% [markdown]
# ## Into the blocks
#
# In ConvNeXt the depthwise 7x7 convolution looks like the main thing. It holds 2 % of the multiply-adds; the two 1x1
# convolutions around the activation have 93 % of them. Click on a stage to look into it.

# %%
charts.cost_tree(profiles[1])

# %%
charts.blocks(profiles, stage=2)

# %% [markdown]
# ## Memory is about maps, not about weights
#
# At inference the peak is where maps are large, in the first stage, whatever the parameters. For training autograd
# keeps nearly every map: that is the *saved memory* of the table above, and it grows with depth.

# %%
charts.memory(profiles)

# %% [markdown]
# ## What a knob does to each of them
#
# The expansion ratio multiplies MACs, parameters and kept memory alike. The kernel size hardly touches any of them.
# The image size leaves the parameters alone and multiplies the rest. Check it:

# %%
Explorer(
    "convnext_t", knobs=["block.expansion_ratio", "block.kernel_size", "image.size", "stages.2.depth", "stages.3.width"]
)

# %% [markdown]
# ## What runs is not what trains
#
# For inference, batch norms and parallel branches fold into the convolutions before them.

# %%
repvgg = convlab.load("repvgg_a0")
comparison([convlab.profile(repvgg), convlab.profile(repvgg, folded=True)])
