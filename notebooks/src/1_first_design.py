# %% [markdown]
# # 1. A first design
#
# An architecture is a few lines of text. convlab reads them, tells at once what the network costs, and builds it.
# Nothing here needs a GPU or a network connection, and until the last section not even torch.

# %%
import convlab
from convlab.notebook import Explorer

# %% [markdown]
# ## Turn a knob
#
# This is ConvNeXt-T. Move a slider: the cards say what the design costs now and how much that is more or less than at
# the beginning; the charts show where it lies. Each pair of bars is a stage, the hatched one is the baseline.
#
# - **stages** has the depth (blocks) and the width (channels) of every stage,
# - **blocks** what a block is made of, for all stages or for one of them,
# - **the rest** the stem, the image, the downsampling and the head.

# %%
lab = Explorer("convnext_t")
lab

# %% [markdown]
# Try three things, and undo them again:
#
# 1. Double the depth of stage 2. Which figures grow, and which do not move at all?
# 2. In *blocks*, turn the kernel size from 7 to 31. A depthwise kernel is cheap in MACs, but look at what a pixel
#    sees.
# 3. Set the kind of the blocks to `bottleneck`. Where do the parameters go?
#
# A value that does not fit is refused with the reason and a way out; the design stays as it was.
#
# ## The same in code
#
# What a slider does is one line. Knobs have the same path everywhere: in the file, on the command line, here.

# %%
lab.turn("stages.2.depth", 12)
lab.design

# %% [markdown]
# A design never changes: to turn a knob gives another one. `profile` counts exactly, layer by layer, without building
# anything.

# %%
design = convlab.load("convnext_t")
wider = convlab.turn(design, "stages.3.width", 1024)
convlab.profile(wider)

# %%
print(f"{convlab.profile(wider).params - convlab.profile(design).params:,} more parameters")

# %% [markdown]
# ## Write your own
#
# A file says what differs from a preset. Save it, and every command knows it by its name: `convlab profile
# mine.toml`. A file that you have changed since then stays as it is: this one is `mine-2.toml` then.

# %%
print(lab.save("mine.toml", numbered=True))
print(lab.session.text)

# %% [markdown]
# ## Build it
#
# From here on torch is needed. The model is an ordinary `nn.Module`; its parameters are the profile's, to the unit.

# %%
import torch

model = convlab.build(lab.design, device="cpu", seed=0)
print(f"{sum(weights.numel() for weights in model.parameters()):,} parameters")
with torch.inference_mode():
    print(model.eval()(torch.zeros(1, 3, 224, 224)).shape)

# %% [markdown]
# **Next**: `2_roadmap` walks from ResNet-50 to ConvNeXt-T, one knob at a time.
