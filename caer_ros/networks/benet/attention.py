"""Channel and spatial attention, "inspired by" CBAM (section 3.1): inside every block of BENet.

The paper says no more. The published network, which these are, differs from CBAM (Woo et al., 2018)
in two ways: the channel MLP halves its width, where CBAM divides it by 16, and the spatial weights
come from a 1x1 convolution, where CBAM's is 7x7.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelAttention(nn.Module):
    """Weigh the channels by what they hold on average and at most: [N, C, h, w] -> the same shape.

    weights = sigmoid(MLP(mean) + MLP(max)), MLP: C -> C // 2 -> C. The means over height and width
    leave [N, C] by name of the axes: a bare squeeze would take a batch of 1 along.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // 2
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, channels)
        )

    def forward(self, maps: Tensor) -> Tensor:
        scores = self.mlp(maps.mean(dim=(2, 3))) + self.mlp(maps.amax(dim=(2, 3)))
        return maps * torch.sigmoid(scores).unsqueeze(2).unsqueeze(3)


class SpatialAttention(nn.Module):
    """Weigh the places by their largest and mean channel: [N, C, h, w] -> the same shape.

    weights = sigmoid(conv([largest, mean])), the convolution 1x1 and without bias.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel_size=1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        peak, mean = maps.amax(dim=1, keepdim=True), maps.mean(dim=1, keepdim=True)
        if torch.onnx.is_in_onnx_export():
            # The same written out: OpenVINO takes a fifth more time for all of BENet in INT8 where
            # two maps are put together for a convolution each time.
            weights = self.conv.weight.split(1, dim=1)
            return maps * torch.sigmoid(peak * weights[0] + mean * weights[1])
        return maps * torch.sigmoid(self.conv(torch.cat([peak, mean], dim=1)))


class BlockAttention(nn.Sequential):
    """Channels first, then places, as in CBAM; C^2 + 1.5 C + 2 parameters for an even C."""

    def __init__(self, channels: int) -> None:
        super().__init__(ChannelAttention(channels), SpatialAttention())
