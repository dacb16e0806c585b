"""Decoding in the graph finds what decoding in numpy finds; targets drawn and decoded come back."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from caer_ros.core import InputError
from caer_ros.deploy.export import OPSET
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine
from caer_ros.networks.benet.decode import DecodedRows, DecodeGraph
from caer_ros.networks.benet.maps import BenetMaps
from caer_ros.perception.benet_decode import BenetDecode, Decoded, decode, rows_above
from caer_ros.perception.benet_maps import MapPair, arrays_of, merged_heat
from caer_ros.training.benet.targets import ImagePeople, MapTargets, map_targets

pytestmark = pytest.mark.usefixtures("one_thread")

EMOTIONS = 4
TOP_K = 12
THRESHOLD = 0.3
CONFIG = BenetDecode(TOP_K, THRESHOLD)
FIELDS = [f"{name}_{side}" for side in (4, 2) for name in ("heat", "size", "emotion", "vad")]
OUTPUTS = ["boxes", "scores", "emotions", "peaks", "vad"]

Pair = tuple[BenetMaps, BenetMaps]


class Flat(nn.Module):
    """The graph with one input a map."""

    def __init__(self) -> None:
        super().__init__()
        self.decode = DecodeGraph(TOP_K, THRESHOLD)

    def forward(self, *fields: Tensor) -> DecodedRows:
        return self.decode((BenetMaps(*fields[:4]), BenetMaps(*fields[4:])))


def random_maps(height: int, width: int, seed: int, batch: int = 2) -> Pair:
    """Noise; `height` and `width` are of the map at 1/4."""
    generator = torch.Generator().manual_seed(seed)

    def side(h: int, w: int) -> BenetMaps:
        heat, size, emotion, vad = (
            2 * torch.randn(batch, c, h, w, generator=generator) for c in (1, 2, EMOTIONS, 3)
        )
        return BenetMaps(heat, 5 + 2 * size, emotion, vad)

    return side(height, width), side(2 * height, 2 * width)


def tied_maps(height: int, width: int, seed: int) -> Pair:
    """So far apart that even mixtures are exactly 0, 1/2 or 1 after the sigmoid."""
    maps = random_maps(height, width, seed)
    rng = np.random.default_rng(seed)
    for side in maps:
        values = rng.choice([-4096, 0, 4096], tuple(side.heat.shape), p=(0.6, 0.2, 0.2))
        side.heat.copy_(torch.from_numpy(values))
    return maps


def image(maps: Pair, row: int) -> MapPair:
    return arrays_of(maps[0], row), arrays_of(maps[1], row)


def far_from_ties(maps: Pair) -> bool:
    """Whether no two cells are so close that back ends may see them in another order."""
    heats = [merged_heat([image(maps, row)]).ravel() for row in range(len(maps[0].heat))]
    return all(np.diff(np.sort(heat)).min() > 1e-6 for heat in heats) and all(
        np.abs(heat - THRESHOLD).min() > 1e-6 for heat in heats
    )


def in_order(people: Decoded) -> Decoded:
    """Equal scores in the order of their places: back ends differ there."""
    order = np.lexsort([*people.boxes.T[::-1], -people.scores.round(5)])
    return Decoded(*(field[order] for field in people[:4]), people.peaks)


def same(rows: dict[str, np.ndarray], maps: Pair) -> None:
    """The graph's rows of every image, cut, against numpy's people."""
    for row in range(len(maps[0].heat)):
        wanted = in_order(decode(image(maps, row), CONFIG))
        boxes, scores, emotions, peaks, vad = (rows[name][row] for name in OUTPUTS)
        assert boxes.shape == (TOP_K, 4)
        assert (np.diff(scores) <= 0).all()
        assert int(peaks) == wanted.peaks
        got = in_order(rows_above(boxes, scores, emotions, vad, int(peaks), THRESHOLD))
        for name in Decoded._fields:
            np.testing.assert_allclose(
                getattr(got, name), getattr(wanted, name), atol=2e-4, err_msg=name
            )


def in_torch(maps: Pair) -> dict[str, np.ndarray]:
    with torch.no_grad():
        rows = DecodeGraph(TOP_K, THRESHOLD)(maps)
    return {name: getattr(rows, name).numpy() for name in OUTPUTS}


def inputs_of(maps: Pair) -> dict[str, np.ndarray]:
    fields = [field.numpy() for side in maps for field in side]
    return dict(zip(FIELDS, fields, strict=True))


@pytest.fixture(scope="module")
def onnx_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    onnx = pytest.importorskip("onnx")
    path = tmp_path_factory.mktemp("decode") / "decode.onnx"
    example = inputs_of(random_maps(3, 4, 0))
    axes = {name: {0: "images", 2: f"h{name[-1]}", 3: f"w{name[-1]}"} for name in FIELDS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Flat().eval(),
            tuple(torch.from_numpy(array) for array in example.values()),
            str(path),
            input_names=FIELDS,
            output_names=OUTPUTS,
            dynamic_axes=axes | {name: {0: "images"} for name in OUTPUTS},
            opset_version=OPSET,
            dynamo=False,
        )
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return path


@pytest.fixture(scope="module")
def on_onnx_runtime(onnx_file: Path):
    with OnnxRuntimeEngine(onnx_file, 1) as engine:
        yield lambda maps: engine.run(inputs_of(maps))


@pytest.fixture(scope="module")
def on_openvino(onnx_file: Path):
    pytest.importorskip("openvino")
    from caer_ros.engines.open_vino import OpenVinoEngine

    with OpenVinoEngine(onnx_file, 1) as engine:
        yield lambda maps: engine.run(inputs_of(maps))


def test_only_the_batch_is_dynamic_in_what_the_graph_puts_out(onnx_file: Path) -> None:
    with OnnxRuntimeEngine(onnx_file, 1) as engine:
        shapes = {name: tuple(spec.shape[1:]) for name, spec in engine.outputs.items()}
    assert shapes == {
        "boxes": (TOP_K, 4),
        "scores": (TOP_K,),
        "emotions": (TOP_K, EMOTIONS),
        "peaks": (),
        "vad": (TOP_K, 3),
    }


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 3), st.integers(0, 10**6))
def test_torch_finds_what_numpy_finds(height: int, width: int, batch: int, seed: int) -> None:
    maps = random_maps(height, width, seed, batch)
    assume(far_from_ties(maps))
    same(in_torch(maps), maps)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10**6))
def test_of_a_tie_torch_keeps_the_one_that_numpy_keeps(height: int, width: int, seed: int) -> None:
    maps = tied_maps(height, width, seed)
    # With more peaks than rows and equal scores, who is in is the back end's choice.
    assume(all(decode(image(maps, row), CONFIG).peaks <= TOP_K for row in range(2)))
    same(in_torch(maps), maps)


@pytest.mark.parametrize("back_end", ["on_onnx_runtime", "on_openvino"])
def test_the_onnx_file_finds_what_numpy_finds(
    back_end: str, request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(back_end)

    @settings(max_examples=20, deadline=None)
    @given(
        st.integers(1, 7),
        st.integers(1, 7),
        st.integers(1, 3),
        st.integers(0, 10**6),
        st.booleans(),
    )
    def check(height: int, width: int, batch: int, seed: int, tied: bool) -> None:
        if tied:
            maps = tied_maps(height, width, seed)
            assume(all(decode(image(maps, row), CONFIG).peaks <= TOP_K for row in range(2)))
        else:
            maps = random_maps(height, width, seed, batch)
            assume(far_from_ties(maps))
        rows = {name: array.copy() for name, array in run(maps).items()}
        same(rows, maps)

    check()


@pytest.mark.parametrize("back_end", ["on_onnx_runtime", "on_openvino"])
def test_a_plateau_all_over_is_one_person_everywhere(
    back_end: str, request: pytest.FixtureRequest
) -> None:
    maps = random_maps(3, 5, 0)
    for side in maps:
        side.heat.fill_(4096)
    for rows in (in_torch(maps), request.getfixturevalue(back_end)(maps)):
        assert rows["peaks"].tolist() == [1, 1]
        assert (rows["scores"] > 0).sum() == 2
        same(rows, maps)


@pytest.mark.parametrize("back_end", ["on_onnx_runtime", "on_openvino"])
def test_nan_in_a_heat_map_is_seen_in_the_scores_of_its_image_only(
    back_end: str, request: pytest.FixtureRequest
) -> None:
    for side in (0, 1):
        maps = random_maps(3, 5, 0)
        maps[side].heat[1, 0, 2, 2] = torch.nan
        for rows in (in_torch(maps), request.getfixturevalue(back_end)(maps)):
            assert np.isfinite(rows["scores"][0]).all()
            assert np.isnan(rows["scores"][1]).all()


def test_more_peaks_than_rows_are_counted() -> None:
    maps = random_maps(24, 24, 0, batch=1)
    rows = in_torch(maps)
    assert rows["peaks"][0] > TOP_K
    assert (rows["scores"] > THRESHOLD).all()
    same(rows, maps)


def test_rows_beyond_the_peaks_score_nothing() -> None:
    maps = random_maps(1, 1, 0)
    rows = in_torch(maps)
    assert rows["scores"].shape == (2, TOP_K)
    assert (rows["scores"][:, 4:] == 0).all()
    assert np.isfinite(rows["boxes"]).all()
    assert np.isfinite(rows["emotions"]).all()


def test_a_network_without_vad_and_one_without_detection() -> None:
    maps = random_maps(3, 3, 0)
    without = tuple(side._replace(vad=None) for side in maps)
    rows = DecodeGraph(TOP_K, THRESHOLD)(without)
    assert rows.vad is None
    np.testing.assert_array_equal(rows.boxes.numpy(), in_torch(maps)["boxes"])
    with pytest.raises(InputError, match="no detection head"):
        DecodeGraph()(tuple(side._replace(heat=None) for side in maps))
    with pytest.raises(InputError, match="odd window"):
        DecodeGraph(kernel=4)


# Round trip: people -> targets -> maps that a perfect network would put out -> people


def people_apart(count: int, rng: np.random.Generator) -> np.ndarray:
    """Boxes [count, 4] of 60 to 200 pixels, centres at least 24 pixels apart, in 256 x 160."""
    slots = rng.permutation(40)[:count]
    centres = np.stack([slots % 8, slots // 8], axis=1) * 32 + 16 + rng.uniform(-4, 4, (count, 2))
    half = rng.uniform(30, 100, (count, 2))
    return np.hstack([centres - half, centres + half]).astype(np.float32)


def labelled(boxes: np.ndarray, rng: np.random.Generator) -> ImagePeople:
    k = len(boxes)
    return ImagePeople(
        boxes,
        rng.integers(0, 2, (k, EMOTIONS)).astype(np.float32),
        np.ones((k, EMOTIONS), bool),
        rng.uniform(-1, 1, (k, 3)).astype(np.float32),
    )


def perfect(targets: MapTargets) -> BenetMaps:
    """Logits of the targets; a person's values are also there around the centre, as learned."""
    n, _, h, w = targets.heat.shape
    size, emotion, vad = (torch.zeros(n, c, h, w) for c in (2, EMOTIONS, 3))
    for i, (row, y, x) in enumerate(targets.centres.tolist()):
        around = (row, slice(None), slice(max(y - 1, 0), y + 2), slice(max(x - 1, 0), x + 2))
        size[around] = targets.sizes[i][:, None, None]
        emotion[around] = 20 * targets.people.categories[i][:, None, None] - 10
        vad[around] = targets.people.vad[i][:, None, None]
    return BenetMaps(targets.heat.clamp(1e-4, 1 - 1e-4).logit(), size, emotion, vad)


def drawn(people: ImagePeople) -> Pair:
    quarter, half = (
        perfect(map_targets([people], 160, 256, stride, EMOTIONS)) for stride in (4, 2)
    )
    return quarter, half


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    common = float(np.prod(sides.clip(0)))
    return common / (float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - common)


@pytest.mark.parametrize("full_size", [False, True])
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40), st.integers(0, 10**6))
def test_everybody_drawn_is_found(full_size: bool, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = labelled(people_apart(count, rng), rng)
    config = BenetDecode(top_k=40, full_size=full_size)
    found = decode(image(drawn(people), 0), config)
    assert found.peaks == len(found.boxes) == count
    left = list(range(count))
    for i, box in enumerate(found.boxes):
        best = max(left, key=lambda j: overlap(box, people.boxes[j]))
        assert overlap(box, people.boxes[best]) > 0.9
        centre, wanted = (b[:2] + b[2:] for b in (box, people.boxes[best]))
        # A cell at 1/2 at most, that is two pixels.
        assert np.abs(centre - wanted).max() / 2 <= 2
        np.testing.assert_allclose(found.emotions[i], people.categories[best], atol=1e-3)
        np.testing.assert_allclose(found.vad[i], people.vad[best], atol=1e-5)
        left.remove(best)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 40), st.integers(0, 10**6))
def test_people_drawn_mirrored_are_found_mirrored(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = labelled(people_apart(count, rng), rng)
    boxes = people.boxes.copy()
    boxes[:, [0, 2]] = 256 - people.boxes[:, [2, 0]]
    config = BenetDecode(top_k=40)
    found = decode(image(drawn(people), 0), config)
    mirrored = image(drawn(people._replace(boxes=boxes)), 0)
    other = decode(mirrored, config)
    back = other.boxes.copy()
    back[:, [0, 2]] = 256 - other.boxes[:, [2, 0]]
    for boxes in (back, decode(image(drawn(people), 0), config, mirrored).boxes):
        order = [np.lexsort(b.round(2).T) for b in (boxes, found.boxes)]
        np.testing.assert_allclose(boxes[order[0]], found.boxes[order[1]], atol=1e-2)


def test_people_drawn_are_found_by_the_graph() -> None:
    rng = np.random.default_rng(1)
    people = labelled(people_apart(TOP_K, rng), rng)
    same(in_torch(drawn(people)), drawn(people))
