"""What a bundle of task `caer_clip` says of its inputs."""

from __future__ import annotations

from dataclasses import dataclass

from caer_ros.bundles import Bundle
from caer_ros.core import BundleError, InputError
from caer_ros.perception.clip_config import ClipConfig

TASK = "caer_clip"


@dataclass(frozen=True)
class ClipInputs:
    """How pictures are collected and cut for the network, and how its logits are read.

    Attributes:
        clip: rate, length and sizes.
        margin: of a face, see crop_face.
        fill: value of hidden faces.
        rows, columns: the frame's size before the context is cut out of its middle.
        temperature: of the softmax.
    """

    clip: ClipConfig
    margin: float
    fill: int
    rows: int
    columns: int
    temperature: float


def read_clip_inputs(bundle: Bundle, max_people: int = 64) -> ClipInputs:
    """Read model.yaml's `inputs` and `decode`.

    Args:
        max_people: people who are followed at once.

    Raises:
        BundleError: wrong task, or a key is missing or out of range.
    """
    if bundle.task != TASK:
        raise BundleError(
            f"Bundle '{bundle.name}' has task {bundle.task}, not {TASK}.",
            "Set model to a CAER-Net bundle; `caer models list` shows them.",
        )
    try:
        return _read(bundle, max_people)
    except (KeyError, TypeError, ValueError, IndexError, InputError) as error:
        raise BundleError(
            f"{bundle.folder}/model.yaml: inputs, outputs or decode lack or have a wrong {error}.",
            "Re-export the bundle.",
        ) from error


def _read(bundle: Bundle, max_people: int) -> ClipInputs:
    face, context, decode = bundle.inputs["face"], bundle.inputs["context"], bundle.decode
    clip = ClipConfig(
        rate=float(decode["rate"]),
        frames=int(face["shape"][1]),
        hop=int(decode["hop"]),
        face_size=int(face["shape"][2]),
        context_size=int(context["shape"][2]),
        max_people=max_people,
    )
    rows, columns = (int(size) for size in context["frame"])
    if int(context["shape"][1]) != clip.frames:
        raise ValueError("context.shape: it must have as many frames as face")
    if not clip.context_size <= min(rows, columns) <= max(rows, columns) <= 4096:
        raise ValueError("context.frame: it must hold the context, and be 4096 at most")
    temperature = float(decode.get("temperature", 1.0))
    if not 0 < temperature < float("inf"):
        raise ValueError("temperature: it must be above 0")
    if len(bundle.labels) != int(bundle.outputs["logits"]["shape"][1]):
        raise ValueError("labels: there must be one a logit")
    margin, fill = float(face["margin"]), int(context["fill"])
    return ClipInputs(clip, margin, fill, rows, columns, temperature)
