"""The engine's calls, in order, against a fake TensorRT and a fake GPU; no kernel runs."""

import threading

import numpy as np
import pytest

from caer_ros.core import EngineBuildError, EngineError, EngineMismatch
from caer_ros.engines.trt.engine import TensorRtEngine


def _profile(people, scenes=1):
    shapes = {"face": (people, 3), "scene": (people,), "context": (scenes, 3)}
    return {name: (shape, shape, shape) for name, shape in shapes.items()}


def _open(trt, cuda, side, profiles=(1, 4, 8), plan=b"plan"):
    trt.fake.cuda = cuda
    trt.fake.profiles = [_profile(people) for people in profiles]
    return TensorRtEngine(trt, plan, side, cuda)


def _arrays(people, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "face": rng.integers(0, 255, (people, 3), np.uint8),
        "scene": np.zeros(people, np.int64),
        "context": rng.integers(0, 255, (1, 3), np.uint8),
    }


def _expected(arrays):
    context = arrays["context"].astype(np.float32)
    return 2.0 * arrays["face"] + context[arrays["scene"]]


def test_every_number_of_people_computes_the_same_on_every_version(trt, cuda, side_for):
    with _open(trt, cuda, side_for()) as engine:
        for seed, people in enumerate((1, 3, 4, 1, 8, 5, 5, 5, 2, 1)):
            arrays = _arrays(people, seed)
            outputs = engine.run(arrays)
            assert outputs["logits"].shape == (people, 3)
            assert outputs["logits"].dtype == np.float32
            assert np.array_equal(outputs["logits"], _expected(arrays))
            assert np.array_equal(outputs["attention"], arrays["context"])
        assert set(engine.run(arrays, ["logits"])) == {"logits"}


def test_spare_rows_are_the_first_row_not_what_was_there(trt10, cuda, side_for):
    """A stale scene number of an earlier frame could point behind the present contexts."""
    with _open(trt10, cuda, side_for(), [4]) as engine:
        engine.run(_arrays(4))
        arrays = _arrays(2, 5)
        engine.run(arrays)
        face = engine._lanes[0].view("face")
        assert np.array_equal(face[2:], np.repeat(arrays["face"][:1], 2, axis=0))


def test_no_frame_allocates_after_the_first_of_its_size(trt10, cuda, side_for):
    with _open(trt10, cuda, side_for()) as engine:
        engine.run(_arrays(3))
        allocated = cuda.allocations
        for people in (3, 4, 2, 3, 4):
            engine.run(_arrays(people))
        assert cuda.allocations == allocated
        engine.run(_arrays(8))
        assert cuda.allocations == 2 * allocated


def test_a_shape_that_repeats_is_recorded_once_and_replayed(trt10, cuda, side_for):
    with _open(trt10, cuda, side_for()) as engine:
        engine.run(_arrays(4))
        assert cuda.graphs == 0
        for people in (4, 3, 2, 4):  # all of them are the profile for four
            arrays = _arrays(people, people)
            assert np.array_equal(engine.run(arrays)["logits"], _expected(arrays))
        assert cuda.graphs == 1
        assert engine.replays == 4


def test_sizes_that_change_within_a_profile_drop_the_graph(trt10, cuda, side_for):
    trt10.fake.cuda = cuda
    wide = {name: (s, s, (4, *s[1:])) for name, (s, _, _) in _profile(1).items()}
    trt10.fake.profiles = [wide]
    with TensorRtEngine(trt10, b"plan", side_for(), cuda) as engine:
        for people in (2, 2, 2, 3, 3, 2):
            arrays = _arrays(people, people)
            assert np.array_equal(engine.run(arrays)["logits"], _expected(arrays))
        assert cuda.graphs == 2
        assert cuda.log == ["graph", "graph"]


def test_what_can_not_be_recorded_runs_without_a_graph(trt10, cuda, side_for):
    cuda.can_record = False
    with _open(trt10, cuda, side_for()) as engine:
        for seed in range(4):
            arrays = _arrays(1, seed)
            assert np.array_equal(engine.run(arrays)["logits"], _expected(arrays))
        assert cuda.graphs == 0


def test_closing_frees_graphs_then_contexts_then_the_engine_then_memory(trt10, cuda, side_for):
    engine = _open(trt10, cuda, side_for())
    for people in (1, 1, 4, 4):
        engine.run(_arrays(people))
    engine.close()
    engine.close()
    assert cuda.log == ["graph", "context", "graph", "context", "engine", "memory"]
    with pytest.raises(EngineError, match="closed"):
        engine.run(_arrays(1))


def test_another_thread_is_refused_and_harms_nothing(trt10, cuda, side_for):
    engine = _open(trt10, cuda, side_for())
    caught = []

    def elsewhere():
        for call in (lambda: engine.run(_arrays(1)), engine.close):
            try:
                call()
            except EngineError as error:
                caught.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(caught) == 2
    assert all("another thread" in text for text in caught)
    assert np.array_equal(engine.run(_arrays(1))["logits"], _expected(_arrays(1)))
    engine.close()


def test_what_fits_no_profile_names_the_command(trt10, cuda, side_for):
    with _open(trt10, cuda, side_for()) as engine:
        with pytest.raises(EngineMismatch, match="caer build --profile"):
            engine.run(_arrays(9))
        with pytest.raises(EngineMismatch, match="Axis 'people'"):
            engine.run(_arrays(2) | {"scene": np.zeros(3, np.int64)})
        with pytest.raises(EngineMismatch, match="wants uint8"):
            engine.run(_arrays(2) | {"face": np.zeros((2, 3), np.float32)})


def test_a_plan_that_tensorrt_refuses_frees_the_gpu(trt10, cuda, side_for):
    with pytest.raises(EngineMismatch, match=r"Serialization assertion failed Run: caer build"):
        _open(trt10, cuda, side_for(), plan=b"refused")
    assert cuda.closed


def test_an_engine_of_other_tensors_is_refused(trt10, cuda, side_for):
    from dataclasses import replace

    side = side_for()
    with pytest.raises(EngineMismatch, match="side file others"):
        _open(trt10, cuda, replace(side, outputs={"boxes": side.outputs["logits"]}))
    assert cuda.closed


def test_a_failing_run_says_so_and_the_next_frame_goes_on(trt10, cuda, side_for):
    with _open(trt10, cuda, side_for()) as engine:
        trt10.fake.failure = "x"
        with pytest.raises(EngineError, match="TensorRT failed"):
            engine.run(_arrays(1))
        assert not cuda.queue, "an upload still reads what the next frame overwrites"
        trt10.fake.failure = ""
        assert np.array_equal(engine.run(_arrays(1))["logits"], _expected(_arrays(1)))


def test_tensors_on_the_host_are_refused(trt10, cuda, side_for):
    """TensorRT puts those there whose values decide sizes."""
    trt10.fake.location = "HOST"
    with (
        _open(trt10, cuda, side_for()) as engine,
        pytest.raises(EngineBuildError, match="depends on the picture"),
    ):
        engine.run(_arrays(1))
