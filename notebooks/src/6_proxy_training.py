# %% [markdown]
# # 6. Proxy training
#
# Costs are exact, accuracy has to be trained. A proxy is a short training of a smaller twin: it ranks designs in a
# minute, and it can mislead. Here is how to read one. What follows is far shorter than a useful proxy, so that the
# notebook ends soon.

# %%
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

# %%
import dataclasses

small_kernels = dataclasses.replace(small_kernels, name="kernels_of_3")
sprint = recipe("sprint", sets=["samples=1024"])
found = finished(convlab.train([design, small_kernels], recipe=sprint, data="procedural", seeds=2, folder=mkdtemp()))

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
# - Put Fashion-MNIST or CIFAR-10 in place of the drawn images: `convlab data list` says which sets are here.
# - In an `Explorer`, pin designs and press *train*: the same runs in a process beside the notebook, with live curves,
#   and *stop* keeps what it has.
#
# A run that is started in that way, or by `convlab train`, is kept in the store: `convlab runs list` shows it. This
# one is not; its curves are in the trained networks, one by one.

# %%
found.trained[0]
