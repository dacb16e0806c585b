"""The parts CAER-Net and CAER-Net-S are made of: stream encoder, attention, adaptive fusion.

`dims` is 2 for pictures and 3 for clips: "all 3D convolution layers and 3D max-pooling layers are
replaced with 2D" ones in the static model (section 3.2.1), and nothing else differs.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Pooling = Literal["sum", "mean"]
AttentionLogits = Literal["raw", "relu"]

ENCODER_WIDTHS = (32, 64, 128, 256, 256)
FEATURES = ENCODER_WIDTHS[-1]

_CONV = {2: nn.Conv2d, 3: nn.Conv3d}
_NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def _conv_bn(inputs: int, outputs: int, dims: int) -> list[nn.Module]:
    return [_CONV[dims](inputs, outputs, kernel_size=3, padding=1), _NORM[dims](outputs)]


def _conv_bn_relu(inputs: int, outputs: int, dims: int) -> list[nn.Module]:
    return [*_conv_bn(inputs, outputs, dims), nn.ReLU(inplace=True)]


def _halve(dims: int, first: bool) -> nn.Module:
    """Max-pooling by 2. A clip's first one spares time, "not to merge the temporal signal"."""
    if dims == 2:
        return nn.MaxPool2d(2)
    return nn.MaxPool3d((1, 2, 2) if first else 2)


class Encoder(nn.Sequential):
    """Five 3x3 convolutions with BN and ReLU, 2x2 max-pooling after the first four (section 3.2.1).

    With dims 2: float [N, 3, H, W] -> float [N, 256, H // 16, W // 16], >= 0; 979,968 parameters.
    With dims 3: 3x3x3 and 2x2x2 (the first pooling 1x2x2), float [N, 3, T, H, W] -> float
    [N, 256, T // 8, H // 16, W // 16]; 2,935,488 parameters.
    The paper lists four widths for the context stream's five layers; figure 2 draws both streams
    alike, so both end with 256.
    """

    def __init__(self, dims: int = 2) -> None:
        layers: list[nn.Module] = []
        inputs = 3
        for index, outputs in enumerate(ENCODER_WIDTHS):
            layers += _conv_bn_relu(inputs, outputs, dims)
            if index < len(ENCODER_WIDTHS) - 1:
                layers.append(_halve(dims, first=index == 0))
            inputs = outputs
        super().__init__(*layers)


class AttentionInference(nn.Module):
    """Where in the scene to look (section 3.2.1, eq. 3): features [M, 256, h, w] -> [M, h, w].

    Each map is in [0, 1] and sums to 1. A clip's features [M, 256, t, h, w] give [M, t, h, w], a
    map a time step: the paper normalises "only across spatial axises not temporal axis".
    296,451 parameters (888,579 for clips) in both forms of `logits`:

    - "relu" is the paper to the letter: the one-channel map passes BN and ReLU before the spatial
      softmax, so about half of the cells tie at exp(0).
    - "raw" leaves that last ReLU out. Its BN stays: the scale is the softmax's learnt temperature
      and the shift, which the softmax cancels, keeps checkpoints of both forms alike.
    """

    def __init__(self, logits: AttentionLogits, dims: int = 2) -> None:
        super().__init__()
        self.hidden = nn.Sequential(*_conv_bn_relu(FEATURES, 128, dims))
        self.score = nn.Sequential(*_conv_bn(128, 1, dims))
        self.rectify = logits == "relu"

    def forward(self, features: Tensor) -> Tensor:
        score = self.score(self.hidden(features))
        if self.rectify:
            score = torch.relu(score)
        # Dimension 1, the only channel, goes by name: a bare squeeze would take a batch of 1 along.
        return torch.softmax(score.flatten(-2), dim=-1).view_as(score).squeeze(1)


def pool_by_attention(features: Tensor, attention: Tensor, pooling: Pooling) -> Tensor:
    """Attention-boosted features (eq. 4) pooled over space: [M, C, h, w], [M, h, w] -> [M, C].

    "mean" is the paper's average pool; since the attention already sums to 1 it shrinks the vector
    by 1 / (h * w), and the fusion then hardly sees the context. "sum" is that times h * w: the
    attention-weighted average, on the scale of the face vector. Of clips, [M, C, t, h, w] and
    [M, t, h, w], both take the mean over time, so that the factor between them stays h * w.
    """
    boosted = features * attention.unsqueeze(1)
    pooled = boosted.sum(dim=(-2, -1)) if pooling == "sum" else boosted.mean(dim=(-2, -1))
    return pooled.mean(dim=2) if pooled.ndim > 2 else pooled


def average(features: Tensor) -> Tensor:
    """Plain average pooling over space, and time: [N, C, ...] -> [N, C]."""
    return features.mean(dim=tuple(range(2, features.ndim)))


def classifier(inputs: int, num_classes: int, dropout: float) -> nn.Sequential:
    """The last two of the fusion's six 1x1 convolutions (section 3.2.2): [N, inputs] -> [N, K]."""
    return nn.Sequential(
        nn.Linear(inputs, 128),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(128, num_classes),
    )


def _gate(relu: bool) -> nn.Sequential:
    middle = [nn.ReLU()] if relu else []
    return nn.Sequential(nn.Linear(FEATURES, 128), *middle, nn.Linear(128, 1))


class AdaptiveFusion(nn.Module):
    """Weigh the two vectors against each other, then classify (section 3.2.2, eq. 5 to 7).

    face, context: float [N, 256]; face_present: bool [N] or None (everybody has a face).
    Returns logits [N, K] and weights [N, 2] (face, context), each row summing to 1; the face's
    weight is exactly 0 where no face is present. On vectors a 1x1 convolution is a linear layer.
    132,617 parameters at K = 7.
    """

    def __init__(self, num_classes: int, dropout: float, relu: bool) -> None:
        super().__init__()
        self.face_gate = _gate(relu)
        self.context_gate = _gate(relu)
        self.classifier = classifier(2 * FEATURES, num_classes, dropout)

    def forward(
        self, face: Tensor, context: Tensor, face_present: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        weights = self.weigh(face, context, face_present)
        return self.classify(face, context, weights), weights

    def weigh(self, face: Tensor, context: Tensor, face_present: Tensor | None = None) -> Tensor:
        """The weights of both vectors (eq. 5): [N, 2]."""
        scores = torch.cat([self.face_gate(face), self.context_gate(context)], dim=1)
        if face_present is not None:
            absent = torch.stack([~face_present, torch.zeros_like(face_present)], dim=1)
            scores = scores.masked_fill(absent, float("-inf"))
        return torch.softmax(scores, dim=1)

    def classify(self, face: Tensor, context: Tensor, weights: Tensor) -> Tensor:
        """Logits of the vectors so weighted (eq. 6 and 7): [N, K]."""
        return self.classifier(torch.cat([face * weights[:, :1], context * weights[:, 1:]], dim=1))
