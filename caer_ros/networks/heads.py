"""What stands in for adaptive fusion in the rows of Table 3 that have none."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from caer_ros.networks.blocks import FEATURES, classifier


class ConcatFusion(nn.Module):
    """Both vectors side by side, unweighted, and the classifier (Table 3 without fA).

    Takes and returns what AdaptiveFusion does; 66,567 parameters at K = 7. There are no weights to
    report, so it reports 1/2 each, and 0, 1 where no face is present: there the face's vector is
    replaced by zeros, so that only the context decides.
    """

    def __init__(self, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.classifier = classifier(2 * FEATURES, num_classes, dropout)

    def forward(
        self, face: Tensor, context: Tensor, face_present: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        face_weight = face.new_full((face.shape[0], 1), 0.5)
        if face_present is not None:
            absent = ~face_present.unsqueeze(1)
            face = face.masked_fill(absent, 0.0)
            face_weight = face_weight.masked_fill(absent, 0.0)
        logits = self.classifier(torch.cat([face, context], dim=1))
        return logits, torch.cat([face_weight, 1 - face_weight], dim=1)


class SingleStream(nn.Module):
    """The classifier on one stream's vector: float [N, 256] -> logits [N, K].

    33,799 parameters at K = 7. The paper does not describe it; the parameter counts other
    implementations report fit the two classifier layers of section 3.2.2 on 256 features
    (256 -> 128 -> K), and nothing else.
    """

    def __init__(self, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.classifier = classifier(FEATURES, num_classes, dropout)

    def forward(self, vector: Tensor) -> Tensor:
        return self.classifier(vector)
