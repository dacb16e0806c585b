"""ICT-FaceKit's meshes become the packed file that the renderers read."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from caer_ros.cli.main import main
from caer_ros.core import InputError
from caer_ros.datasets import face_kit, ict_face
from caer_ros.datasets.face_kit import EXPRESSIONS, IDENTITIES, NEUTRAL, read_face_kit

POINTS = np.array(
    [[0, -2.48251, 11.8387], [1, 0, 0], [0, 1, 0], [1.5, 1e-7, 3], [-4, 5.25, -6], [7, 8, 9]],
    np.float32,
)
FACES = "f 1/1 2/2 4/3 3/4\nf 3/4 4/3 6/5 5/6\nf 1/1 2/2 5/6\n"
QUADS = [[0, 1, 3, 2], [2, 3, 5, 4], [0, 1, 4, 4]]


def mesh(points: np.ndarray, faces: str = FACES) -> str:
    rows = "".join("v " + " ".join(f"{x:.9g}" for x in point) + "\n" for point in points)
    return f"# v 9 9 9\nmtllib Some.mtl\n{rows}vt 0.5 0.5\nvn 0 0 1\nusemtl Skin\n{faces}"


def moved(number: int) -> np.ndarray:
    points = POINTS.copy()
    points[number % len(points), number % 3] += np.float32(0.01 * (number + 1))
    return points


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ICT-FaceKit with six vertices; shape n of 157 moves one of them."""
    monkeypatch.setattr(face_kit, "VERTICES", len(POINTS))
    monkeypatch.setattr(face_kit, "FACES", len(QUADS))
    monkeypatch.setattr(ict_face, "VERTICES", len(POINTS))
    folder = tmp_path / "ICT-FaceKit" / "FaceXModel"
    folder.mkdir(parents=True)
    (folder / f"{NEUTRAL}.obj").write_text(mesh(POINTS))
    for number, name in enumerate(IDENTITIES + EXPRESSIONS):
        (folder / f"{name}.obj").write_text(mesh(moved(number)))
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def pack(folder: Path, out: Path) -> int:
    return main(["data", "facekit", str(folder), "--out", str(out)])


def test_packed_file_holds_the_meshes(
    kit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "ict_facekit.npz"
    (kit / "my_own.obj").write_text("not a shape of the kit")
    assert pack(kit, out) == 0
    assert "6 vertices, 3 quads, 100 identities, 57 expressions" in capsys.readouterr().out
    with np.load(out, allow_pickle=False) as data:
        packed = dict(data)
    kinds = {name: (array.dtype.str, array.shape) for name, array in packed.items()}
    assert kinds == {
        "N": ("<f4", (6, 3)),
        "Q": ("<i4", (3, 4)),
        "I": ("<f2", (100, 6, 3)),
        "X": ("<f2", (57, 6, 3)),
        "names": ("<U16", (57,)),
    }
    np.testing.assert_array_equal(packed["N"], POINTS)
    np.testing.assert_array_equal(packed["Q"], QUADS)
    moves = np.stack([moved(n) - POINTS for n in range(157)]).astype(np.float16)
    np.testing.assert_array_equal(np.concatenate([packed["I"], packed["X"]]), moves)
    assert packed["names"].tolist() == sorted(packed["names"].tolist())


def test_renderers_read_it(kit: Path, tmp_path: Path) -> None:
    out = tmp_path / "kit.npz"
    assert pack(kit, out) == 0
    model = ict_face.load_face_model(out)
    face = model.shape(np.eye(100)[7], {"jawOpen": 1.0})
    jaw = 100 + EXPRESSIONS.index("jawOpen")
    np.testing.assert_allclose(face, moved(7) + moved(jaw) - POINTS, atol=2e-3)


def test_other_ways_to_write_the_same_mesh(kit: Path) -> None:
    plain = read_face_kit(kit)
    path = kit / f"{NEUTRAL}.obj"
    edit(path, "f 1/1 2/2 5/6", "f  1//3\t2 5/6/7")
    edit(path, "v 1 0 0", "v\t+1.000000  0e0 -0.0 # a comment")
    edit(path, "# v 9 9 9", "# Gesicht, schön")
    for file in kit.iterdir():  # as git checks out on Windows
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    other = read_face_kit(kit.parent)
    for name in ("neutral", "quads", "identities", "expressions"):
        np.testing.assert_array_equal(getattr(other, name), getattr(plain, name))


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (NEUTRAL, "v 7 8 9\n", "", "has 5 vertices, not 6"),
        ("identity042", "v 7 8 9\n", "v 7 8 9\nv 1 1 1\n", "has 7 vertices, not 6"),
        ("jawOpen", "v 7 8 9", "v 7 8,1 9", "vertex 6 reads '7 8,1 9'"),
        ("jawOpen", "v 7 8 9", "v 7 8", "vertex 6 reads '7 8'"),
        ("jawOpen", "v 7 8 9", "v 7 nan 9", "vertex 6 reads '7 nan 9'"),
        ("jawOpen", "v 7 8 9", "v 7 1e60 9", "vertex 6 reads '7 1e60 9'"),
        ("jawOpen", "v 7 8 9", "v 7 # 9", "vertex 6 reads '7 # 9'"),
        ("jawOpen", "v 7 8 9", "v 7 800000 9", "vertex far out of the face"),
        ("noseSneer_R", "f 1/1 2/2 5/6\n", "", "has 2 faces, not 3: cut short"),
        (NEUTRAL, FACES, "", "has no face"),
        (NEUTRAL, "f 1/1 2/2 4/3 3/4", "f 1 2 4\nf 1 4 3", "has 4 faces, not 3: triangulated"),
        (NEUTRAL, "f 1/1 2/2 5/6", "f 1/1 2/2 5/6 4/3 3/4", "face 3 reads '1 2 5 4 3'"),
        (NEUTRAL, "f 1/1 2/2 5/6", "f 1/1 2/2 x/6", "face 3 reads"),
        (NEUTRAL, "f 1/1 2/2 5/6", "f 1/1 2/2 7/6", "unknown vertices"),
        (NEUTRAL, "f 1/1 2/2 5/6", "f 1/1 2/2 0/6", "unknown vertices"),
        (NEUTRAL, "f 1/1 2/2 5/6", "f 1/1 2/2 99999999999999999999", "face 3 reads"),
    ],
)
def test_damage_is_told_and_nothing_written(
    kit: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    old: str,
    new: str,
    told: str,
) -> None:
    edit(kit / f"{file}.obj", old, new)
    out = tmp_path / "out" / "kit.npz"
    out.parent.mkdir()
    out.write_bytes(b"the one before")
    assert pack(kit, out) == 2
    error = capsys.readouterr().err
    assert told in error
    assert f"{file}.obj" in error
    assert out.read_bytes() == b"the one before"
    assert [path.name for path in out.parent.iterdir()] == ["kit.npz"]


def test_missing_meshes_are_named(
    kit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (kit / "eyeWide_R.obj").unlink()
    assert pack(kit, tmp_path / "kit.npz") == 2
    assert "lacks 1 of 158 meshes: eyeWide_R.obj." in capsys.readouterr().err
    assert pack(tmp_path, tmp_path / "kit.npz") == 2
    assert "lacks 158 of 158 meshes: generic_neutral_mesh.obj" in capsys.readouterr().err
    assert pack(tmp_path / "nowhere", tmp_path / "kit.npz") == 2
    assert "is not a folder" in capsys.readouterr().err


def test_place_that_can_not_be_written(
    kit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pack(kit, tmp_path) == 2
    assert "is no .npz file" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert pack(kit, tmp_path / "file" / "kit.npz") == 1
    assert "can not be written" in capsys.readouterr().err


def test_help_says_where_to_download(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["data", "facekit", "--help"])
    told = capsys.readouterr().out
    assert "github.com/ICT-VGL/ICT-FaceKit" in told
    assert "--out ict_facekit.npz" in " ".join(told.split())


@pytest.mark.parametrize("damage", ["missing", "cut", "text", "shapes"])
def test_unusable_packed_file_names_the_command(kit: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "kit.npz"
    if damage == "text":
        path.write_text("<html>Not found</html>")
    elif damage != "missing":
        assert pack(kit, path) == 0
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "shapes":
        with np.load(path) as data:
            arrays = dict(data)
        np.savez(path, **{**arrays, "X": arrays["X"][:-1]})
    with pytest.raises(InputError, match=r"caer data facekit FaceXModel --out ict_facekit\.npz"):
        ict_face.load_face_model(path)


def test_expressions_are_those_of_the_packed_model(face_model: ict_face.FaceModel) -> None:
    assert tuple(face_model.expressions) == EXPRESSIONS


def test_published_meshes_give_the_packed_model(face_model_path: Path) -> None:
    folder = os.environ.get("CAER_FACEKIT", "")
    if not folder:
        pytest.skip("no meshes: set CAER_FACEKIT to the folder FaceXModel of ICT-FaceKit")
    found = read_face_kit(Path(folder))
    with np.load(face_model_path, allow_pickle=False) as data:
        wanted = {name: data[name] for name in ("N", "Q", "I", "X")}
    pairs = zip(
        (found.neutral, found.quads, found.identities, found.expressions),
        wanted.values(),
        strict=True,
    )
    for ours, theirs in pairs:
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
