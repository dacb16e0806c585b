"""Where frames come from, and where overlays go."""

from itertools import islice

import cv2
import numpy as np
import pytest

from caer_ros.core import InputError
from caer_ros.perception.sources import open_moving, open_source, read_image
from caer_ros.perception.writer import VideoWriter, open_writer, write_image


@pytest.fixture
def video(tmp_path):
    """Twelve frames, 64x48, 10 frames a second, each of another grey."""
    with VideoWriter(tmp_path / "v.mp4", 10) as writer:
        for i in range(12):
            writer.write(np.full((48, 64, 3), 20 * i, np.uint8))
    return tmp_path / "v.mp4"


def test_a_video_gives_every_frame_with_its_time(video):
    source = open_source(str(video))
    frames = list(source)
    assert (source.kind, source.fps, source.count) == ("video", 10, 12)
    assert len(frames) == 12
    assert frames[3].time == pytest.approx(0.3)
    assert [round(f.image.mean() / 20) for f in frames] == list(range(12))


def test_an_image_and_a_folder(astronaut, photos, tmp_path):
    (frame,) = open_source(str(photos / "astronaut.png"))
    assert np.array_equal(frame.image, astronaut)
    assert [frame.name for frame in open_source(str(photos))] == [
        "astronaut.png",
        "grace_hopper.jpg",
    ]


def test_the_demo_photographs_move_and_show_one_then_all(photos):
    frames = list(islice(open_moving("photos", 320, 240, fps=2), 20))
    assert all(f.image.shape == (240, 320, 3) for f in frames)
    names = [f.name.split("#")[0] for f in frames]
    assert names[0] == "astronaut.png"
    assert names[6] == "grace_hopper.jpg"
    assert names[12] == "together"
    assert names[18] == "astronaut.png"
    assert np.abs(frames[0].image.astype(int) - frames[3].image).mean() > 2


@pytest.mark.parametrize("name", ["missing.png", "missing", "/dev/video97"])
def test_what_is_not_there_is_named(name):
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        list(open_source(name))


def test_damaged_files_are_named(tmp_path, photos):
    broken = tmp_path / "broken.png"
    broken.write_bytes((photos / "astronaut.png").read_bytes()[:100])
    with pytest.raises(InputError, match=r"broken\.png is not a readable image"):
        list(open_source(str(broken)))
    empty = tmp_path / "empty.jpg"
    empty.touch()
    with pytest.raises(InputError, match=r"empty\.jpg is not"):
        read_image(empty)
    text = tmp_path / "clip.mp4"
    text.write_text("no video")
    with pytest.raises(InputError, match=r"clip\.mp4 is no video"):
        open_source(str(text))
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="holds no image"):
        open_source(str(tmp_path / "bare"))


def test_a_video_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "out.mp4"
    writer = VideoWriter(path, 15)
    writer.write(np.zeros((48, 64, 3), np.uint8))
    assert not path.exists()
    writer.write(np.zeros((96, 128, 3), np.uint8))  # another size is fitted, not lost
    writer.close()
    assert int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT)) == 2
    with VideoWriter(tmp_path / "nothing.mp4", 15):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_where_nothing_can_be_written_is_said(tmp_path):
    with pytest.raises(InputError, match="no image format"):
        write_image(tmp_path / "a.xyz", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match=r"no \.mp4"), open_writer(tmp_path / "a.avi", "video", 9):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file"), open_writer(tmp_path / "file", "folder", 9):
        pass
