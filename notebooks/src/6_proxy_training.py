# %% [markdown]
# # 6. Proxy training
#
# Costs are exact, accuracy has to be trained. A proxy is a short training of a smaller twin: it ranks designs in a
# minute, and it can mislead. Here is how to read one. What follows is far shorter than a useful proxy, so that the
# notebook ends soon.

# %%
from dataclasses import replace
from importlib.util import find_spec
from tempfile import mkdtemp

import convlab
from convlab import charts, finished
from convlab.training.recipes.named import recipe

# %% [markdown]
# ## Train two designs, two seeds each
#
# ConvNeXt-T with kernels of 7 and of 3. Both are first made smaller for small images; what is under test stays. Every
# seed sees the same images in the same order, in both designs.

# %%
design = convlab.load("convnext_t")
small_kernels = convlab.turn(design, "block.kernel_size", 3)
small_kernels = replace(small_kernels, name="kernels_of_3")

# %% [markdown]
# The images are 1,797 handwritten digits of 8 x 8 pixels, which come with scikit-learn; without it they are Fashion-MNIST or
# drawn, which takes longer. The result belongs to those images: on eight pixels a kernel of seven sees nearly all.

# %%
data = "digits" if find_spec("sklearn") else "auto"
short = recipe("sprint", sets=["samples=2048"])
work = convlab.train([design, small_kernels], recipe=short, data=data, seeds=2, folder=mkdtemp())
found = finished(work)

# %% [markdown]
# ## Read the ranking with its doubts
#
# Loss comes first, since it is less noisy than accuracy. Designs that share a letter are ties: seeds alone move them
# as much. Below stand the changes that were made to the designs, and what this comparison cannot tell, such as which
# kernel is best on images this small.

# %%
found

# %%
charts.learning(found.trained)

# %% [markdown]
# ## More of it
#
# - `recipe("sprint")` is 65,536 images, about a minute on two cores; `run` and `long` are four and sixteen times
#   that.
# - Put Fashion-MNIST or CIFAR-10 in place of the digits: `convlab data list` says which sets are here.
# - In an `Explorer`, pin designs and press *train*: the same runs in a process beside the notebook, with live curves,
#   and *stop* keeps what it has.
#
# A run that is started in that way, or by `convlab train`, is kept in the store: `convlab runs list` shows it. This
# one is not; its curves are in the trained networks, one by one.

# %%
found.trained[0]
