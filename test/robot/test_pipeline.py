"""The whole line on real photographs, and what it does with everything else."""

import cv2
import numpy as np
import pytest

from caer_ros.bundles import find_bundle
from caer_ros.core import CAER7, BundleError, EngineError, InputError
from caer_ros.perception import Pipeline, PipelineConfig
from caer_ros.perception.caer_static import softmax


def probabilities(result):
    return np.array([person.estimates[0].probabilities for person in result.people])


def test_one_person_with_a_whole_estimate(pipeline, astronaut):
    before = astronaut.copy()
    result = pipeline.process(astronaut, "bgr8")
    assert np.array_equal(astronaut, before), "the frame must not be touched"
    (person,) = result.people
    (estimate,) = person.estimates
    assert estimate.labels == CAER7
    assert estimate.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert estimate.lambda_face + estimate.lambda_context == pytest.approx(1, abs=1e-5)
    assert person.face is not None
    assert person.body is None
    assert set(result.timings) == {"detect", "preprocess", "infer", "decode", "total"}
    assert sum(v for k, v in result.timings.items() if k != "total") <= result.timings["total"]
    assert result.attention is None


def test_the_plain_smile_is_happy(pipeline, astronaut):
    # The clearest expression that the registry's photographs have.
    (person,) = pipeline.process(astronaut, "bgr8").people
    assert person.estimates[0].top_label == "Happy"


def test_nobody_gives_an_empty_result(pipeline):
    result = pipeline.process(np.full((480, 640, 3), 90, np.uint8), "bgr8", want_maps=True)
    assert result.people == ()
    assert result.attention is None
    assert set(result.timings) == {"detect", "total"}


def test_attention_is_a_distribution_over_the_frame(pipeline, astronaut):
    attention = pipeline.process(astronaut, "bgr8", want_maps=True).attention
    assert attention.shape == (14, 14)
    assert attention.min() >= 0
    assert attention.sum() == pytest.approx(1, abs=1e-4)


def test_twenty_people_get_the_same_answer_as_each_alone(pipeline, crowd):
    result = pipeline.process(crowd, "bgr8")
    assert len(result.people) == 20
    assert result.warnings == ()
    # Two photographs, ten times each, in one scene: two answers.
    rows = probabilities(result)
    assert rows.std(axis=0).max() > 0
    centres = {round(p.face.x1 // 320 + p.face.y1 // 320) % 2: [] for p in result.people}
    for person, row in zip(result.people, rows, strict=True):
        centres[round(person.face.x1 // 320 + person.face.y1 // 320) % 2].append(row)
    for group in centres.values():
        assert len(group) == 10
        assert np.abs(np.array(group) - group[0]).max() < 0.1


def test_more_people_than_allowed_are_counted_not_lost_silently(photos, crowd):
    config = PipelineConfig(backend="onnxruntime", max_people=5, tracking="never")
    with Pipeline.open(config) as small:
        result = small.process(crowd, "bgr8")
    assert len(result.people) == 5
    (warning,) = result.warnings
    assert "20 faces, max_people is 5" in warning


def test_colour_order_does_not_matter_and_grey_works(pipeline, astronaut):
    reference = probabilities(pipeline.process(astronaut, "bgr8"))
    rgb = cv2.cvtColor(astronaut, cv2.COLOR_BGR2RGB)
    assert np.abs(probabilities(pipeline.process(rgb, "rgb8")) - reference).max() < 1e-3
    grey = cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY)
    assert len(pipeline.process(grey, "mono8").people) == 1


def test_padded_rows_give_the_same_answer(pipeline, astronaut):
    padded = np.zeros((512, 640, 3), np.uint8)
    padded[:, :512] = astronaut
    view = padded[:, :512]
    assert not view.flags.c_contiguous
    reference = probabilities(pipeline.process(astronaut, "bgr8"))
    assert np.array_equal(probabilities(pipeline.process(view, "bgr8")), reference)


def test_the_same_frame_gives_the_same_answer(pipeline, crowd, astronaut):
    first = probabilities(pipeline.process(astronaut, "bgr8"))
    pipeline.process(crowd, "bgr8")
    assert np.array_equal(probabilities(pipeline.process(astronaut, "bgr8")), first)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_openvino_says_what_onnx_runtime_says(photos, crowd, precision):
    pytest.importorskip("openvino")
    rows = []
    for backend in ("onnxruntime", "openvino"):
        with Pipeline.open(
            PipelineConfig(backend=backend, precision=precision, tracking="never")
        ) as opened:
            result = opened.process(crowd, "bgr8")
            order = sorted(
                range(20),
                key=lambda i, r=result: (r.people[i].face.y1 // 320, r.people[i].face.x1),
            )
            rows.append(probabilities(result)[order])
    # Boxes differ by rounding, and INT8 kernels by their own; FP32 ones agree closely.
    tolerance = 0.02 if precision == "fp32" else 0.1
    assert np.abs(rows[0] - rows[1]).max() < tolerance


def test_int8_agrees_with_fp32(pipeline, photos, crowd):
    reference = pipeline.process(crowd, "bgr8")
    with Pipeline.open(
        PipelineConfig(backend="onnxruntime", precision="int8", tracking="never")
    ) as quantised:
        result = quantised.process(crowd, "bgr8")
        assert "int8" in quantised.describe()["precision"]
    top = probabilities(reference).argmax(1), probabilities(result).argmax(1)
    assert (top[0] == top[1]).mean() >= 0.95


def test_wrong_arrays_are_refused_and_the_pipeline_lives_on(pipeline, astronaut):
    for array, encoding in (
        (np.zeros((0, 0, 3), np.uint8), "bgr8"),
        (astronaut, "mono8"),
        (astronaut, "yuv"),
        (astronaut.astype(np.float32), "bgr8"),
    ):
        with pytest.raises(InputError):
            pipeline.process(array, encoding)
    assert len(pipeline.process(astronaut, "bgr8").people) == 1


def test_nan_from_the_network_is_an_error_not_an_emotion(pipeline, astronaut, monkeypatch):
    model = pipeline._stages[1].model
    real = model._engine.run

    def broken(arrays, outputs):
        return {name: np.full_like(value, np.nan) for name, value in real(arrays, outputs).items()}

    monkeypatch.setattr(model._engine, "run", broken)
    with pytest.raises(EngineError, match="NaN"):
        pipeline.process(astronaut, "bgr8")
    monkeypatch.undo()
    assert len(pipeline.process(astronaut, "bgr8").people) == 1


def test_thresholds_change_while_running_or_not_at_all(pipeline, astronaut):
    pipeline.update(min_face=300)
    assert pipeline.process(astronaut, "bgr8").people == ()
    with pytest.raises(InputError, match="detector_threshold is 7"):
        pipeline.update(detector_threshold=7, min_face=1)
    assert pipeline.process(astronaut, "bgr8").people == ()
    pipeline.update(min_face=16)
    assert len(pipeline.process(astronaut, "bgr8").people) == 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"model": "nothere"}, "No model 'nothere'"),
        ({"detector": "nothere"}, "No model 'nothere'"),
        ({"model": "centerface"}, "task face_detection"),
        ({"detector": "caer_net_s"}, "no face detector"),
        ({"precision": "fp64"}, "no fp64 file"),
    ],
)
def test_wrong_models_are_named(photos, changes, complaint):
    with pytest.raises(BundleError, match=complaint):
        Pipeline.open(PipelineConfig(backend="onnxruntime", **changes))


@pytest.mark.parametrize(
    "changes", [{"max_people": 0}, {"threads": -1}, {"min_face": 0}, {"detector_threshold": 1.5}]
)
def test_settings_out_of_range_are_refused(changes):
    with pytest.raises(InputError, match="Use"):
        PipelineConfig(**changes)


def test_the_shipped_model_says_what_it_is(pipeline):
    bundle = find_bundle("caer_net_s")
    assert bundle.labels == CAER7
    if bundle.demonstration:
        assert pipeline.notice
        assert pipeline.describe()["demonstration"] == "yes"


def test_softmax_is_right_and_safe():
    assert softmax(np.zeros((1, 7), np.float32)) == pytest.approx(np.full((1, 7), 1 / 7))
    assert softmax(np.array([[1000.0, 0.0]], np.float32)) == pytest.approx(np.array([[1, 0]]))
