"""From `caer build` to a running engine, with a fake driver, TensorRT and GPU: only the order of
things is tested, nothing is computed by TensorRT."""

import hashlib
import importlib.machinery
import importlib.util
import json
import os
import sys

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from caer_ros.cli.main import main
from caer_ros.core import EngineMismatch
from caer_ros.engines import choose_backend, open_engine
from caer_ros.engines.trt import compat, device

SHAPES = {"face": ["people", 3], "scene": ["people"], "context": ["scenes", 3]}


class FakeDriver:
    """libcuda of a machine with one GPU."""

    name, capability, gpus = b"Orin", (8, 7), 1

    def cuInit(self, flags):
        return 0

    def cuDeviceGetCount(self, count):
        count._obj.value = self.gpus
        return 0

    def cuDeviceGet(self, found, index):
        return 0

    def cuDeviceGetName(self, text, size, index):
        text.value = self.name
        return 0

    def cuDriverGetVersion(self, version):
        version._obj.value = 12060
        return 0

    def cuDeviceTotalMem_v2(self, memory, index):
        memory._obj.value = 8 << 30
        return 0

    def cuDeviceGetAttribute(self, value, which, index):
        value._obj.value = self.capability[which - 75]
        return 0


@pytest.fixture
def driver(monkeypatch, tmp_path):
    """A machine with a GPU, whose driver does not tell its own version."""
    fake = FakeDriver()
    monkeypatch.setattr(device, "_load", lambda: fake)
    monkeypatch.setattr(device, "_nvml_version", lambda: "")
    monkeypatch.setattr(device, "_KERNEL_MODULE", tmp_path / "none")
    (tmp_path / "tegra").write_text("# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic\n")
    monkeypatch.setattr(device, "_TEGRA_RELEASE", tmp_path / "tegra")
    device.probe_device.cache_clear()
    yield fake
    device.probe_device.cache_clear()


@pytest.fixture
def jetson(driver, trt10, cuda, monkeypatch, tmp_path):
    """A Jetson: driver, TensorRT, CUDA; CAER_HOME is a fresh folder."""
    trt10.__spec__ = importlib.machinery.ModuleSpec("tensorrt", None)
    trt10.fake.cuda = cuda
    shapes = {"face": (4, 3), "scene": (4,), "context": (1, 3)}
    trt10.fake.profiles = [{name: (shape,) * 3 for name, shape in shapes.items()}]
    monkeypatch.setitem(sys.modules, "tensorrt", trt10)
    monkeypatch.setattr("caer_ros.engines.trt.open.open_cuda", lambda package: cuda)
    monkeypatch.setattr("caer_ros.engines.trt.available.installed_package", lambda: "fake")
    monkeypatch.setenv("CAER_HOME", str(tmp_path / "home"))
    return trt10


@pytest.fixture
def bundle(tmp_path):
    """A bundle of the network that the fake computes."""
    folder = tmp_path / "home" / "models" / "tiny"
    folder.mkdir(parents=True)
    kinds = {"face": TensorProto.UINT8, "scene": TensorProto.INT64, "context": TensorProto.UINT8}
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["face"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Cast", ["context"], ["attention"], to=TensorProto.FLOAT),
            helper.make_node("Gather", ["attention", "scene"], ["c"]),
            helper.make_node("Sum", ["f", "f", "c"], ["logits"]),
        ],
        "tiny",
        [helper.make_tensor_value_info(name, kinds[name], shape) for name, shape in SHAPES.items()],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["people", 3]),
            helper.make_tensor_value_info("attention", TensorProto.FLOAT, ["scenes", 3]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "fp32.onnx"))
    sha256 = hashlib.sha256((folder / "fp32.onnx").read_bytes()).hexdigest()
    card = {
        "schema": 1,
        "name": "tiny",
        "version": 1,
        "task": "caer_static",
        "inputs": {name: {"shape": shape} for name, shape in SHAPES.items()},
        "outputs": {},
        "files": {"fp32": {"path": "fp32.onnx", "sha256": sha256}},
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(card))
    return folder


def _arrays():
    return {
        "face": np.full((2, 3), 7, np.uint8),
        "scene": np.zeros(2, np.int64),
        "context": np.full((1, 3), 5, np.uint8),
    }


def test_the_driver_is_asked_for_everything(driver):
    found = device.probe_device()
    assert str(found) == "Orin, compute capability 8.7, driver R36.4.3, CUDA 12.6, 8.0 GiB"


def test_a_driver_without_a_gpu_or_with_an_error_is_told(driver):
    driver.gpus = 0
    with pytest.raises(device.DeviceMissing, match="shows no GPU"):
        device.probe_device()
    driver.cuInit = lambda flags: 999
    with pytest.raises(device.DeviceMissing, match="cuInit returns error 999"):
        device.probe_device()


def test_build_then_run(jetson, bundle, capsys):
    path = bundle / "fp32.onnx"
    with pytest.raises(EngineMismatch, match=rf"Run: caer build {bundle} --precision fp32"):
        open_engine(path, "tensorrt")

    assert main(["build", "tiny"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("tiny fp32: ")
    assert ".engine (0.0 MiB, built in 0." in said.out
    assert "tiny fp32: starting" in said.err

    for _ in range(2):
        with open_engine(path, "tensorrt") as engine:
            assert engine.backend == "tensorrt"
            assert engine.run(_arrays())["logits"].tolist() == [[19.0] * 3] * 2
            assert str(engine.inputs["scene"]) == "int64[people]"

    assert main(["build", "tiny", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert len(row["profiles"]) == 6
    assert not row["fresh"]
    assert len(jetson.fake.configs) == 1, "built again"
    assert main(["build", "tiny", "--force"]) == 0
    assert len(jetson.fake.configs) == 2


def test_all_takes_what_each_bundle_has(jetson, bundle, capsys):
    assert main(["build", "--all", "--precision", "fp32", "--json"]) == 0
    assert "tiny" in [row["bundle"] for row in json.loads(capsys.readouterr().out)]


def test_auto_takes_tensorrt_once_the_engine_is_there_and_says_why_before(jetson, bundle):
    path = bundle / "fp32.onnx"
    backend, why = choose_backend("auto", [path])
    assert backend in ("openvino", "onnxruntime")
    assert "no TensorRT: No TensorRT engine has been built yet. Run: caer build" in why
    assert "caer build --all" in choose_backend("auto")[1]
    main(["build", "tiny"])
    assert choose_backend("auto", [path])[0] == "tensorrt"
    assert choose_backend("auto")[0] == "tensorrt"


def test_a_damaged_engine_is_never_given_to_tensorrt(jetson, bundle, tmp_path, capsys):
    path = bundle / "fp32.onnx"
    main(["build", "tiny"])
    (engine,) = (tmp_path / "home" / "cache" / "tensorrt").glob("*.engine")
    engine.write_bytes(engine.read_bytes()[:-1])
    jetson.Runtime = None  # would raise TypeError
    with pytest.raises(EngineMismatch, match="damaged"):
        open_engine(path, "tensorrt")
    assert "damaged" in choose_backend("auto", [path])[1]
    assert main(["build", "tiny"]) == 0
    assert engine.read_bytes() == b"plan of " + engine.read_bytes()[8:]
    assert len(jetson.fake.configs) == 2


def test_an_engine_of_another_gpu_is_refused(jetson, bundle, driver):
    main(["build", "tiny"])
    driver.name, driver.capability = b"NVIDIA H100", (9, 0)
    device.probe_device.cache_clear()
    with pytest.raises(EngineMismatch, match="the GPU Orin, here it is NVIDIA H100"):
        open_engine(bundle / "fp32.onnx", "tensorrt")


def test_tensorrt_is_not_touched_where_there_is_no_gpu(monkeypatch, bundle, capsys):
    """Without a GPU its runtime would crash the process."""

    touched = []

    class Untouchable:
        __spec__ = importlib.machinery.ModuleSpec("tensorrt", None)

        def __getattr__(self, name):
            touched.append(name)
            raise AttributeError(name)

    def none():
        raise device.DeviceMissing("There is no NVIDIA driver on this machine.", "Get one.")

    monkeypatch.setitem(sys.modules, "tensorrt", Untouchable())
    monkeypatch.setattr(device, "_load", none)
    device.probe_device.cache_clear()
    with pytest.raises(device.DeviceMissing):
        compat.load_tensorrt()
    assert main(["build", str(bundle)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert "no NVIDIA GPU" in choose_backend("auto")[1]
    assert touched == []


@pytest.mark.parametrize("missing", ["tensorrt", "cuda"])
def test_what_is_not_installed_is_named(driver, monkeypatch, bundle, missing, capsys):
    found = importlib.util.find_spec
    if missing == "cuda":
        monkeypatch.setattr("caer_ros.engines.trt.available.installed_package", lambda: "")
        spec = importlib.machinery.ModuleSpec("tensorrt", None)
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda n, *a: spec if n == "tensorrt" else found(n, *a)
        )
        assert "neither pycuda nor cuda-bindings" in choose_backend("auto")[1]
        return
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "tensorrt" else found(n, *a)
    )
    assert "TensorRT is not installed" in choose_backend("auto")[1]
    assert main(["build", str(bundle)]) == 2
    assert "pip install tensorrt" in capsys.readouterr().err


def test_asking_for_it_by_name_is_taken_at_the_word():
    assert choose_backend("tensorrt") == ("tensorrt", "asked for")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Name bundles or give --all"),
        (["tiny", "--all"], "Name bundles or give --all"),
        (["nothere"], "No model 'nothere'"),
        (["tiny", "--precision", "int8"], "has no int8 file"),
        (["tiny", "--workspace", "-1"], "--workspace is -1"),
        (["tiny", "--profile", "people"], "can not be read at 'people'"),
        (["tiny", "--profile", "people=4"], "does not say how large axis 'scenes'"),
        (["tiny", "--dla", "7"], "no DLA core 7"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(jetson, bundle, arguments, complaint, capsys):
    assert main(["build", *arguments]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert "Traceback" not in said


def test_an_unwritable_cache_and_a_damaged_bundle_end_with_one_line(
    jetson, bundle, monkeypatch, tmp_path, capsys
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CAER_HOME", str(tmp_path / "file"))
    assert main(["build", str(bundle)]) == 1
    assert "can not be written" in capsys.readouterr().err
    with (bundle / "fp32.onnx").open("ab") as stream:
        stream.write(b"x")
    assert main(["build", str(bundle)]) == 2
    assert "damaged or was exchanged" in capsys.readouterr().err
    assert os.listdir(tmp_path / "home") == ["models"]


@pytest.fixture
def verify(jetson, bundle, root, monkeypatch):
    """verify(): exit code of scripts/verify_on_gpu.py on the fake Jetson, for the tiny bundle."""
    path = root / "scripts" / "verify_on_gpu.py"
    spec = importlib.util.spec_from_file_location("verify_on_gpu", path)
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "verify_on_gpu", script)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "installed_package", lambda: "fake")
    monkeypatch.setattr(script, "PACKAGES", ("fake",))
    monkeypatch.setattr(sys, "argv", ["verify_on_gpu", str(bundle), "--runs", "2"])
    jetson.fake.profiles = [
        {name: (shape,) * 3 for name, shape in shapes.items()}
        for shapes in (
            {"face": (rows, 3), "scene": (rows,), "context": (scenes, 3)}
            for rows, scenes in ((1, 1), (4, 1), (8, 1), (16, 1), (32, 1), (32, 4))
        )
    ]
    return script


def test_the_verification_script_tells_agreement(verify, capsys):
    assert verify.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Orin, compute capability 8.7, driver R36.4.3, ")
    assert lines[0].endswith(", TensorRT 10.3.0")
    assert lines[-1] == "everything agrees"
    sizes = [line.split("fake, ")[1].split()[0] for line in lines[2:-1]]
    wanted = [f"people={n},scenes=1" for n in (1, 4, 3, 8, 7, 16, 15, 32, 31)]
    assert sizes == [*wanted, "people=32,scenes=4", "people=31,scenes=4"]
    assert all(" graph " in line and line.endswith("ok") for line in lines[2:-1])


def test_the_verification_script_tells_disagreement_and_failure(verify, capsys):
    verify.TOLERANCE = {"fp32": -1.0}
    assert verify.main() == 1
    assert "DISAGREES" in capsys.readouterr().out
    raised = EngineMismatch("no")

    def fails(path, cache, package):
        raise raised

    verify.open_tensorrt = fails
    assert verify.main() == 1
    assert "tiny fp32: FAILED: EngineMismatch: no" in capsys.readouterr().out
    verify.open_tensorrt = lambda path, cache, package: (_ for _ in ()).throw(
        device.DeviceMissing("no")
    )
    assert verify.main() == 1, "nothing was compared"
