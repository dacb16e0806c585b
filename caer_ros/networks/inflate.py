"""From a trained CAER-Net-S to a CAER-Net to start from: 2D kernels inflated into 3D ones."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from caer_ros.networks.caer_net import CaerNet
from caer_ros.networks.caer_net_config import check_choice
from caer_ros.networks.caer_net_s import CaerNetS

Kernel = Literal["central", "average"]
_TAPS = 3


def inflate(static: CaerNetS, kernel: Kernel = "central") -> CaerNet:
    """A CAER-Net with the switches and weights of `static`, in `static`'s mode, for fine-tuning.

    - "central" puts each 2D kernel into the middle of three time steps and zeros round it. The
      network then sees frames one by one: on a clip of one frame repeated, each time step of its
      features is what `static` makes of that frame, and the logits are the same. Training grows
      the outer steps, whose gradients are not zero.
    - "average" is I3D's way (Carreira and Zisserman 2017, section 2.4): a third of the kernel in
      every step. On such a clip a convolution answers alike only away from the clip's two ends;
      at them the zeros of the padding take a third away. Of 16 frames, no time step of the last
      features is free of that: hence the default.

    Static contexts have 224 pixels a side and clips 112; the weights fit both.

    Raises:
        InputError: `kernel` is neither.
    """
    check_choice("kernel", kernel, ("central", "average"))
    dynamic = CaerNet(static.config)
    wanted = dynamic.state_dict()
    state = {
        name: _inflated(tensor, kernel) if tensor.ndim != wanted[name].ndim else tensor
        for name, tensor in static.state_dict().items()
    }
    dynamic.load_state_dict(state)
    return dynamic.train(static.training)


def _inflated(weight: Tensor, kernel: Kernel) -> Tensor:
    """[O, I, 3, 3] -> [O, I, 3, 3, 3]; the sum over time is the 2D kernel in both forms."""
    if kernel == "average":
        return (weight / _TAPS).unsqueeze(2).repeat(1, 1, _TAPS, 1, 1)
    nothing = torch.zeros_like(weight)
    return torch.stack([nothing, weight, nothing], dim=2)
