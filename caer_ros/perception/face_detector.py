"""Face detectors behind one interface: a bundle of task `face_detection` and a decoder by name.

CenterFace (Xu et al. 2019, arXiv 1911.03599) predicts a heat map of face centres at stride 4.
YuNet (Wu et al. 2023, Machine Intelligence Research) predicts boxes on grids of stride 8, 16, 32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import cv2
import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import Box, BundleError, EngineError
from caer_ros.engines import Engine, open_engine
from caer_ros.engines.trt.frame_build import frame_engines
from caer_ros.engines.trt.frame_engine import FrameEngine
from caer_ros.perception.fit_frame import Fit
from caer_ros.perception.frame_layout import DETECTOR_SIZE, face_fit, layout_of
from caer_ros.perception.preprocess import to_rgb

_NMS_IOU = 0.3


class FaceDetector(Protocol):
    """Anything that finds faces."""

    threshold: float
    min_face: float

    def detect(self, image: np.ndarray, encoding: str) -> list[Box]:
        """Faces of `image` (uint8 view in `encoding`), best first.

        Boxes are in pixels of `image`, clipped to it, with a score of at least `threshold` and a
        shorter side of at least `min_face` pixels.
        """
        ...

    def run_bare(self) -> None:
        """Run the network alone on the last frame's input, for benchmarks."""
        ...

    def close(self) -> None: ...


class OnnxFaceDetector:
    """A face detection network that reads one uint8 image [1, height, width, 3].

    Args:
        bundle: task `face_detection`; `decode.type` is `centerface` or `yunet`.
        backend: as choose_backend returned it.
        size: the longer side of the image is shrunk to this many pixels before detection, never
            enlarged. Faces below about 10 pixels after shrinking are not found.
        threshold: least score, in [0, 1].
        min_face: least shorter side, in pixels of the source image.

    Raises:
        BundleError: not a face detector, or damaged.
        EngineBuildError: the back end can not load it.
    """

    def __init__(
        self,
        bundle: Bundle,
        backend: str,
        size: int = DETECTOR_SIZE,
        threshold: float = 0.5,
        min_face: float = 16.0,
        threads: int = 0,
    ) -> None:
        kind = str(bundle.decode.get("type"))
        if bundle.task != "face_detection" or kind not in _DECODERS:
            raise BundleError(
                f"Bundle '{bundle.name}' is no face detector that this version knows.",
                "Set face_detector to centerface or yunet.",
            )
        self.threshold = threshold
        self.min_face = min_face
        self._decode = _DECODERS[kind]
        self._multiple = int(bundle.inputs["image"].get("multiple_of", 32))
        self._bgr = bundle.inputs["image"].get("color") == "bgr"
        self._size = size
        path = bundle.model_file("fp32", backend)
        self._engine: Engine = open_engine(path, backend, threads)
        self._frames = frame_engines(path, backend)
        self._frame: FrameEngine | None = None
        self._input = np.zeros((1, 0, 0, 3), np.uint8)

    def detect(self, image: np.ndarray, encoding: str) -> list[Box]:
        """See FaceDetector.detect."""
        height, width = image.shape[:2]
        fit = face_fit(width, height, self._size, self._multiple)
        outputs = self._run(image, encoding, fit)
        boxes, scores = self._decode(outputs, fit.width, self.threshold)
        if not np.isfinite(boxes).all():
            raise EngineError(
                "The face detector put out NaN or infinity.", "Reinstall the face detector."
            )
        # The two axes were rounded to whole pixels on their own, so each has its own scale.
        inner_w, inner_h = fit.inner
        boxes = boxes / np.array([inner_w / width, inner_h / height] * 2, np.float32)
        return self._select(boxes, scores, width, height)

    def run_bare(self) -> None:
        """See FaceDetector.run_bare."""
        if self._frame is not None:
            self._frame.run()
            return
        self._engine.run({"image": self._input})

    def close(self) -> None:
        """Release the network."""
        if self._frames is not None:
            self._frames.close()
        self._engine.close()

    def _run(self, image: np.ndarray, encoding: str, fit: Fit) -> Mapping[str, np.ndarray]:
        """The network's outputs for a frame: from an engine that resizes it itself, if any."""
        if self._frames is not None:
            self._frame = self._frames.find(image.shape, encoding, layout_of(fit, self._bgr))
        if self._frame is not None:
            self._frame.take(image)
            return self._frame.run()
        self._fill_input(image, encoding, fit)
        return self._engine.run({"image": self._input})

    def _fill_input(self, image: np.ndarray, encoding: str, fit: Fit) -> None:
        inner_w, inner_h = fit.inner
        if self._input.shape[1:3] != (fit.height, fit.width):
            self._input = np.zeros((1, fit.height, fit.width, 3), np.uint8)
        else:
            # An earlier frame of another inner size may have left its edge in the padding.
            self._input[0, inner_h:] = 0
            self._input[0, :, inner_w:] = 0
        if image.shape[:2] != (inner_h, inner_w):
            image = cv2.resize(image, (inner_w, inner_h), interpolation=cv2.INTER_AREA)
        inner = self._input[0, :inner_h, :inner_w]
        to_rgb(image, encoding, inner)
        if self._bgr:
            cv2.cvtColor(inner, cv2.COLOR_RGB2BGR, dst=inner)

    def _select(self, boxes: np.ndarray, scores: np.ndarray, width: int, height: int) -> list[Box]:
        if not len(boxes):
            return []
        sides = boxes[:, 2:] - boxes[:, :2]
        kept = cv2.dnn.NMSBoxes(
            np.hstack([boxes[:, :2], sides]).tolist(), scores.tolist(), self.threshold, _NMS_IOU
        )
        found = []
        for index in np.asarray(kept, np.int64).ravel():
            x1, y1, x2, y2 = boxes[index].tolist()
            if min(x2 - x1, y2 - y1) < self.min_face:
                continue
            box = Box(x1, y1, x2, y2, min(float(scores[index]), 1.0)).clipped(width, height)
            if box is not None:
                found.append(box)
        return found


def _decode_centerface(
    outputs: Mapping[str, np.ndarray], width: int, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (n, 4) as x1, y1, x2, y2 in pixels of the network's input, and scores (n,).

    `width` is the network input's, in pixels; CenterFace's map is two-dimensional and needs it not.
    """
    heat = outputs["heatmap"][0, 0]
    rows, cols = np.nonzero(heat >= threshold)
    h, w = np.exp(outputs["scale"][0][:, rows, cols]) * 4
    dy, dx = outputs["offset"][0][:, rows, cols]
    cx, cy = (cols + dx + 0.5) * 4, (rows + dy + 0.5) * 4
    boxes = np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1)
    return boxes, heat[rows, cols]


def _decode_yunet(
    outputs: Mapping[str, np.ndarray], width: int, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """As _decode_centerface. Score = sqrt(class x objectness)."""
    boxes, scores = [], []
    for stride in (8, 16, 32):
        product = outputs[f"cls_{stride}"][0, :, 0] * outputs[f"obj_{stride}"][0, :, 0]
        score = np.sqrt(np.clip(product, 0, 1))
        index = np.nonzero(score >= threshold)[0]
        rows, cols = np.divmod(index, width // stride)
        dx, dy, log_w, log_h = outputs[f"bbox_{stride}"][0, index].T
        cx, cy = (cols + dx) * stride, (rows + dy) * stride
        w, h = np.exp(log_w) * stride, np.exp(log_h) * stride
        boxes.append(np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1))
        scores.append(score[index])
    return np.concatenate(boxes), np.concatenate(scores)


_Decoder = Callable[[Mapping[str, np.ndarray], int, float], tuple[np.ndarray, np.ndarray]]
_DECODERS: dict[str, _Decoder] = {"centerface": _decode_centerface, "yunet": _decode_yunet}
