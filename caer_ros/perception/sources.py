"""Frames from wherever they come: image, folder, video, camera, bag, the demo photographs.

Frames are uint8 [height, width, 3], BGR.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from caer_ros.bundles.install import film_file, photos_folder
from caer_ros.core import InputError
from caer_ros.perception.bags.bag import is_bag
from caer_ros.perception.bags.bag_source import BagSource
from caer_ros.perception.frames import Frame, Source

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
_DEFAULT_FPS = 15.0


def open_source(text: str, topic: str = "") -> Source:
    """Open `text`: an image, a folder of them, a video, a bag, `/dev/videoN` or a camera's number.

    Args:
        topic: of a bag's images; empty: the only one.

    Raises:
        InputError: it does not exist, can not be read, or holds no picture.
    """
    if text.isdigit() or text.startswith("/dev/video"):
        return _camera(text)
    path = Path(text).expanduser()
    if path.exists() and is_bag(path):
        return BagSource.open(path, topic)
    if path.is_dir():
        files = _images_in(path)
        return Source("folder", _DEFAULT_FPS, len(files), _stills(files))
    if not path.is_file():
        raise InputError(
            f"{text} does not exist.", "Give an image, folder, video, bag or /dev/videoN."
        )
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return Source("image", _DEFAULT_FPS, 1, _stills([path]))
    return _video(path)


def open_moving(
    text: str, width: int = 640, height: int = 480, fps: float = _DEFAULT_FPS
) -> Source:
    """As open_source, but stills become an endless slow pan and zoom, so that faces move.

    `photos` names the demo photographs, `film` the demo film. Videos, bags and cameras are played
    as they are.

    Raises:
        InputError: as open_source, or the demo photographs are not installed.
    """
    if text == "film":
        return open_source(str(film_file()))
    if text == "photos":
        return Source("folder", fps, None, _pan(_images_in(photos_folder()), width, height, fps))
    path = Path(text).expanduser()
    if path.is_dir() and not is_bag(path):
        return Source("folder", fps, None, _pan(_images_in(path), width, height, fps))
    if path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES:
        return Source("image", fps, None, _pan([path], width, height, fps))
    return open_source(text)


def read_image(path: Path) -> np.ndarray:
    """One image file as uint8 BGR.

    Raises:
        InputError: missing, unreadable or damaged.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror}.", "Check the path.") from error
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise InputError(f"{path} is not a readable image.", "It may be damaged: replace it.")
    return image


def _images_in(folder: Path) -> list[Path]:
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise InputError(f"{folder} holds no image.", f"Images end in {', '.join(IMAGE_SUFFIXES)}.")
    return files


def _stills(files: list[Path]) -> Iterator[Frame]:
    for index, path in enumerate(files):
        yield Frame(read_image(path), path.name, index / _DEFAULT_FPS)


def _video(path: Path) -> Source:
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise InputError(f"{path} is no video that OpenCV can read.", "Convert it to mp4 (H.264).")
    fps = capture.get(cv2.CAP_PROP_FPS)
    fps = fps if 0 < fps < 1000 else _DEFAULT_FPS
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return Source("video", fps, count if count > 0 else None, _captured(capture, path.name, fps))


def _camera(text: str) -> Source:
    number = int(text.removeprefix("/dev/video"))
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise InputError(
            f"Camera {text} can not be opened.", "Check `ls /dev/video*` and your rights on it."
        )
    fps = capture.get(cv2.CAP_PROP_FPS)
    fps = fps if 0 < fps < 1000 else _DEFAULT_FPS
    return Source("camera", fps, None, _captured(capture, text, fps))


def _captured(capture: cv2.VideoCapture, name: str, fps: float) -> Iterator[Frame]:
    try:
        index = 0
        while True:
            ok, image = capture.read()
            if not ok:
                return
            yield Frame(image, f"{name}#{index}", index / fps)
            index += 1
    finally:
        capture.release()


def _pan(files: list[Path], width: int, height: int, fps: float) -> Iterator[Frame]:
    """Each picture for three seconds, then all side by side, again and again."""
    pictures = [(path.name, read_image(path)) for path in files]
    if 1 < len(pictures) <= 4:
        # All in one view last: several people in one frame.
        pictures.append(("together", _side_by_side([image for _, image in pictures], height)))
    seconds = 3.0
    index = 0
    while True:
        name, picture = pictures[int(index / fps / seconds) % len(pictures)]
        yield Frame(_window(picture, width, height, index / fps), f"{name}#{index}", index / fps)
        index += 1


def _window(picture: np.ndarray, width: int, height: int, time: float) -> np.ndarray:
    """The picture, fitted into width x height, seen through a slowly moving and zooming window."""
    zoom = 1.0 + 0.12 * (1 + math.sin(time * 0.9))
    scale = min(width / picture.shape[1], height / picture.shape[0]) * zoom
    shift_x = 0.05 * width * math.sin(time * 1.3)
    shift_y = 0.03 * height * math.cos(time * 1.1)
    # Rows of an affine map that puts the picture's centre, shifted, on the window's centre.
    matrix = np.array(
        [
            [scale, 0, width / 2 + shift_x - scale * picture.shape[1] / 2],
            [0, scale, height / 2 + shift_y - scale * picture.shape[0] / 2],
        ]
    )
    # Shrunk by area first where that is much: warpAffine alone would alias.
    if scale < 0.5:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        matrix[:, :2] = np.eye(2)
    return cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR)


def _side_by_side(pictures: list[np.ndarray], height: int) -> np.ndarray:
    same = [
        cv2.resize(
            p, (round(p.shape[1] * height / p.shape[0]), height), interpolation=cv2.INTER_AREA
        )
        for p in pictures
    ]
    return np.hstack(same)
