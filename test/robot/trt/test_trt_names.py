"""The names that we use of TensorRT and CUDA exist in what is installed here."""

import importlib
import inspect
import re

import pytest


def _installed():
    for name in ("tensorrt", "tensorrt_bindings"):
        try:
            return importlib.import_module(name)
        except Exception as error:  # bindings without their library, a wheel that is only a stub
            reason = error
    return pytest.skip(f"TensorRT can not be imported here: {reason}")


def _has(module, name):
    for part in name.split("."):
        if not hasattr(module, part):
            return False
        module = getattr(module, part)
    return True


def _number(version):
    return tuple(int(part) for part in version.split(".")[:3])


def test_the_installed_tensorrt_has_the_names_that_its_version_should_have(names):
    trt = _installed()
    here = _number(trt.__version__)
    listed = [v for v in names["versions"] if _number(v) <= here]
    if not listed:
        pytest.skip(f"the table begins with TensorRT {names['versions'][0]}")
    expected = dict.fromkeys(names["everywhere"], True)
    expected |= {name: listed[-1] in found for name, found in names["partly"].items()}
    assert {name: _has(trt, name) for name in expected} == expected


def test_the_checker_has_the_names_of_the_newest_tensorrt(names):
    """TensorRT-RTX has TensorRT 11's parser and builder under another name."""
    trt = pytest.importorskip("tensorrt_rtx_bindings")
    newest = names["versions"][-1]
    expected = [*names["everywhere"], *(n for n, v in names["partly"].items() if newest in v)]
    # Precisions are never flags there, and it has no DLA.
    missing = [name for name in expected if not _has(trt, name)]
    assert missing == []


def test_cuda_bindings_has_every_name_that_we_call():
    driver = pytest.importorskip("cuda.bindings.driver")
    source = inspect.getsource(importlib.import_module("caer_ros.engines.trt.cuda_bindings"))
    for name in re.findall(r"driver\.(cu\w+)", source):
        assert callable(getattr(driver, name)), name
    assert driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY


def test_pycuda_has_every_name_that_we_call():
    driver = pytest.importorskip("pycuda.driver")
    source = inspect.getsource(importlib.import_module("caer_ros.engines.trt.cuda_pycuda"))
    for name in re.findall(r"driver\.(\w+)", source):
        assert hasattr(driver, name), name
    assert hasattr(driver.Device, "retain_primary_context")
