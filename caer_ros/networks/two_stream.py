"""The two-stream network of Lee et al., ICCV 2019, section 3.2, for pictures and for clips."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from caer_ros.core import InputError
from caer_ros.networks.blocks import (
    AdaptiveFusion,
    AttentionInference,
    Encoder,
    average,
    pool_by_attention,
)
from caer_ros.networks.caer_net_config import CaerNetConfig
from caer_ros.networks.heads import ConcatFusion, SingleStream
from caer_ros.networks.interface import EmotionNetwork, NetworkOutput, uniform_attention


class TwoStream(EmotionNetwork):
    """Face stream, context stream with attention, fusion; each may be left out (Table 3).

    Subclasses fix `dims` and the shapes. Without a face (`face_present` False) the face's weight is
    exactly 0 and the context decides. A network that reads faces only can say nothing then, and
    says so: InputError, not a guess.
    """

    hides_faces = True

    def __init__(self, config: CaerNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CaerNetConfig()
        self.reads_face, self.reads_context = config.reads_face, config.reads_context
        if self.reads_face:
            self.face_encoder = Encoder(self.dims)
        if self.reads_context:
            self.context_encoder = Encoder(self.dims)
            if config.context_attention:
                self.attention = AttentionInference(config.attention_logits, self.dims)
        self.fusion = _fusion(config)

    def encode_face(self, face: Tensor) -> Tensor:
        """Face crops [N, *face_shape] -> vectors [N, 256], averaged over space (and time)."""
        return average(self.face_encoder(face))

    def encode_context(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Scenes [M, *context_shape] -> vectors [M, 256], attention [M, *attention_shape]."""
        features = self.context_encoder(context)
        if self.config.context_attention:
            attention = self.attention(features)
            return pool_by_attention(features, attention, self.config.pooling), attention
        attention = uniform_attention(features, features.shape[0], features.shape[2:])
        return average(features), attention

    def forward(
        self,
        face: Tensor | None,
        context: Tensor | None,
        scene: Tensor,
        face_present: Tensor | None = None,
    ) -> NetworkOutput:
        """See EmotionNetwork.

        Raises:
            InputError: an input that this network reads is None, a clip has a length it can not
                pool, or the network reads faces only and somebody has none.
        """
        if not self.reads_context:
            return self._by_face(self._given("face", face), context, face_present)
        vectors, attention = self.encode_context(self._given("context", context))
        if not self.reads_face:
            return self._by_context(vectors[scene], attention)
        face_vectors = self.encode_face(self._given("face", face))
        logits, weights = self.fusion(face_vectors, vectors[scene], face_present)
        return NetworkOutput(logits, weights, attention)

    def _by_face(
        self, face: Tensor, context: Tensor | None, face_present: Tensor | None
    ) -> NetworkOutput:
        if face_present is not None and not bool(face_present.all()):
            raise InputError(
                f"{int((~face_present).sum())} of {len(face_present)} people have no face, and "
                "this network reads faces only.",
                "Leave them out, or use a network with streams 'both' or 'context'.",
            )
        logits = self.fusion(self.encode_face(face))
        maps = 0 if context is None else context.shape[0]
        attention = uniform_attention(logits, maps, self.attention_shape)
        return NetworkOutput(logits, _only(logits, column=0), attention)

    def _by_context(self, vectors: Tensor, attention: Tensor) -> NetworkOutput:
        logits = self.fusion(vectors)
        return NetworkOutput(logits, _only(logits, column=1), attention)

    def _given(self, name: str, value: Tensor | None) -> Tensor:
        if value is None:
            raise InputError(
                f"'{name}' is None, and a network with streams '{self.config.streams}' reads it.",
                f"Give '{name}', or build the network for the other stream.",
            )
        if self.dims == 3:
            check_clip_length(value.shape[2])
        return value


def check_clip_length(frames: int) -> None:
    """Raises InputError unless `frames` is 8, 16, 24, ...: three poolings halve it, none rounds."""
    if frames < 8 or frames % 8:
        raise InputError(
            f"A clip has {frames} frames.",
            "Use a multiple of 8; the paper takes 16. Repeat the last frame to fill it up.",
        )


def _fusion(config: CaerNetConfig) -> nn.Module:
    if config.streams != "both":
        return SingleStream(config.num_classes, config.dropout)
    if config.fusion == "concat":
        return ConcatFusion(config.num_classes, config.dropout)
    return AdaptiveFusion(config.num_classes, config.dropout, config.fusion_relu)


def _only(logits: Tensor, column: int) -> Tensor:
    """Fusion weights [N, 2] of a network that reads one stream: 1 in `column`, 0 beside it."""
    rows = logits.shape[0]
    return torch.cat([logits.new_full((rows, 1), float(column == i)) for i in range(2)], dim=1)
