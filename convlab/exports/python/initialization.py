"""How the weights of an exported network start: the method that draws them."""

from __future__ import annotations

from convlab.exports.python.layout import INDENT

METHODS = {
    "truncated_normal": '''
"""Draw weights from a normal distribution of deviation 0.02; biases are 0."""
for module in self.modules():
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
''',
    "kaiming_normal": '''
"""Draw convolutions as He et al. do (2015, arXiv:1502.01852)."""
for module in self.modules():
    if isinstance(module, CONVOLUTIONS):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
''',
    "regnet": '''
"""Draw convolutions as He et al. do (2015, arXiv:1502.01852); biases are 0."""
for module in self.modules():
    if isinstance(module, CONVOLUTIONS):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
    if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
        nn.init.zeros_(module.bias)
''',
    "efficientnet": '''
"""Draw weights by their fan out, of one group where there are groups."""
for module in self.modules():
    if isinstance(module, CONVOLUTIONS):
        fan_out = module.weight[:, 0].numel() // getattr(module, "groups", 1)
        nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
    elif isinstance(module, nn.Linear):
        bound = 1.0 / math.sqrt(module.out_features)
        nn.init.uniform_(module.weight, -bound, bound)
    if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
        nn.init.zeros_(module.bias)
''',
}
"""By the design's initialization. Torch's gain for its default, a leaky ReLU of slope 0, is that of ReLU."""


def initialization(kind: str, *, linear_2d: bool) -> list[str]:
    """The lines of the method, at their indentation; ``linear_2d``: linear layers over maps count as convolutions."""
    text = METHODS[kind].strip().replace("CONVOLUTIONS", "(nn.Conv2d, Linear2d)" if linear_2d else "nn.Conv2d")
    if not linear_2d:
        text = text.replace('getattr(module, "groups", 1)', "module.groups")
    return [2 * INDENT + line for line in text.splitlines()]
