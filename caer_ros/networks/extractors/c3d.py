"""C3D's convolutions (Tran et al. 2015, figure 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from caer_ros.networks.extractors.base import Extractor, initialise


class C3d(Extractor):
    """Float [M, 3, 16, 112, 112] -> [M, 512, 1, 4, 4]; 27,655,936 parameters.

    With its two layers of 4096 and the 487 classes of Sports-1M it has 79,991,015; the 78.41
    million that are often quoted belong to the 101 classes of UCF-101. Parameters are named
    conv1 ... conv5b, fc6 ... fc8, as in the PyTorch conversions of the Sports-1M weights.
    """

    input_shape = (3, 16, 112, 112)
    channels = 512
    grid = (1, 4, 4)
    classifier_prefixes = ("fc6.", "fc7.", "fc8.")
    parameters_published = 79_991_015

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, 64, 3, padding=1)
        self.conv2 = nn.Conv3d(64, 128, 3, padding=1)
        self.conv3a = nn.Conv3d(128, 256, 3, padding=1)
        self.conv3b = nn.Conv3d(256, 256, 3, padding=1)
        self.conv4a = nn.Conv3d(256, 512, 3, padding=1)
        self.conv4b = nn.Conv3d(512, 512, 3, padding=1)
        self.conv5a = nn.Conv3d(512, 512, 3, padding=1)
        self.conv5b = nn.Conv3d(512, 512, 3, padding=1)
        self.pool1 = nn.MaxPool3d((1, 2, 2))
        self.pool = nn.MaxPool3d(2)
        # Caffe rounds 7 / 2 up; here a border of 1 does: 2 x 7 x 7 -> 1 x 4 x 4.
        self.pool5 = nn.MaxPool3d(2, padding=(0, 1, 1))
        initialise(self)

    def forward(self, clip: Tensor) -> Tensor:
        maps = self.pool1(torch.relu(self.conv1(clip)))
        maps = self.pool(torch.relu(self.conv2(maps)))
        maps = torch.relu(self.conv3b(torch.relu(self.conv3a(maps))))
        maps = torch.relu(self.conv4b(torch.relu(self.conv4a(self.pool(maps)))))
        maps = torch.relu(self.conv5b(torch.relu(self.conv5a(self.pool(maps)))))
        return self.pool5(maps)
