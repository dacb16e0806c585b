"""How BENet's weights start when nobody has any to start from.

The published network starts its own layers from normal noise of standard deviation 0.001 and the
backbone from weights trained on COCO's poses. From scratch that noise is no start: it vanishes on
its way through four stages. So convolutions follow He et al. (2015), as in published HRNets.
"""

from __future__ import annotations

from torch import nn

_OUTPUT_STD = 0.01


def initialise(network: nn.Module) -> None:
    """He's normal noise (fan out) in all convolutions; biases 0. Linear layers stay torch's."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def start_at(output: nn.Module, bias: float = 0.0) -> None:
    """Let a last layer answer `bias` at first, whatever it reads: noise of 0.01 on top.

    As Lin et al. (2017), section 4.1: a focal loss then starts from a known value.
    """
    assert isinstance(output, nn.Conv2d | nn.Linear)
    nn.init.normal_(output.weight, std=_OUTPUT_STD)
    nn.init.constant_(output.bias, bias)
