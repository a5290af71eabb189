# %% [markdown]
# # 7. Design spaces
#
# One good network may be luck. A space is a design, what varies, and what must hold; its population shows what a
# choice is worth on average (Radosavovic et al., 2020). Counting and sampling need no training and no torch.

# %%
import convlab
from convlab import charts
from convlab.notebook import Explorer

space = convlab.load_space("spaces/convnext_sizes")
space

# %% [markdown]
# ## Sample it
#
# Members are drawn uniformly among those within the limits, here within 5 % of ConvNeXt-T's multiply-adds. A seed
# gives the same members on every machine, and every member has a number by which it can be had again.

# %%
sample = convlab.sample(space, 500, seed=0)
sample

# %%
charts.population(sample.population, y="activations")

# %% [markdown]
# Equal MACs, and activations from 5 to 39 million: memory traffic, which costs time of its own (notebook 5). The line joins
# the members that no other one beats in both.
#
# ## Which knobs make the difference?
#
# A line is a member, an axis a knob or a cost. Drag along an axis to keep only the members there: what do those of
# few parameters have in common?

# %%
charts.parallel(sample.population)

# %% [markdown]
# ## Walk around in it
#
# Each point is a member: a click loads it, and the star shows where you are. The controls are the knobs that vary.

# %%
lab = Explorer(space, against="convnext_t")
lab

# %% [markdown]
# A member by its number, and a design's number:

# %%
member = space[53175511474244]
print(member, space.index(member))

# %% [markdown]
# ## Your own
#
# A space is a file, too. Save this as `mine.toml` beside the notebook and load it by its name.
#
# ```toml
# base = "convnext_t"
#
# [vary]
# "stages.*.block.kernel_size" = [3, 5, 7, 9, 11]
# "stages.2.depth" = { low = 3, high = 27, step = 3 }
#
# [rules]
# "stages.*.block.kernel_size" = "nondecreasing"
#
# [limits]
# macs = { low = 4.0e9, high = 4.5e9 }
# ```
