"""Designs as models of timm: importing this package registers them, ``timm.create_model("convlab_convnext_t")`` makes one."""

from timm.models import register_notrace_module

from convlab import modules
from convlab.timm.designs import PRESETS
from convlab.timm.model import TimmModel

__all__ = ["PRESETS", "TimmModel"]

for _module in (modules.DropPath, modules.Tokens2d, modules.SpaceToDepth2d, modules.WindowAttention2d):
    register_notrace_module(_module)  # what they do hangs on the mode or the size, which a trace cannot follow
