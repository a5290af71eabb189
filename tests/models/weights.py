"""Random weights for comparisons, so that no path through a network is silent, and what close means."""

import re

import torch


@torch.no_grad()
def randomized(model, seed=0):
    """The model with random weights, scaled so that numbers neither vanish nor explode; running statistics too."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        if name.endswith(("running_var", "gamma")) or (name.endswith("weight") and tensor.dim() == 1):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif tensor.dim() == 1:
            tensor.normal_(0.0, 0.1, generator=generator)
        else:
            tensor.normal_(0.0, tensor[0].numel() ** -0.5, generator=generator)
    return model.eval()


def renamed(state, rules):
    """The tensors under the names that rules (pattern, replacement), applied in turn, make of theirs."""
    found = {}
    for name, tensor in state.items():
        for pattern, replacement in rules:
            name = re.sub(pattern, replacement, name)
        found[name] = tensor
    return found


def images(count=2, size=64, seed=1):
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


def assert_close(one, other, tolerance=1e-5):
    """Equal up to a fraction of the largest number."""
    scale = other.abs().max()
    assert scale > 1e-3
    assert (one - other).abs().max() <= tolerance * scale
    assert other.std() > 1e-3 * scale


def assert_unchanged(model, before, folded):
    """The model's weights are what they were, and the folded model's are others."""
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    own = {tensor.data_ptr() for tensor in model.state_dict().values() if tensor.numel()}
    assert not own & {tensor.data_ptr() for tensor in folded.state_dict().values() if tensor.numel()}
