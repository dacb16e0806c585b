"""Proves without a GPU that TensorRT parses and builds a bundle, and computes in the types meant.

TensorRT-RTX, whose wheels are on PyPI, has TensorRT's parser and builder, and builds for a GPU that
is not there. Its engines run on other GPUs than a robot's: it checks, and is no back end.
"""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import onnx

from caer_ros.core import CaerError, InputError
from caer_ros.engines.trt.builder import BuildOptions, build_plan
from caer_ros.engines.trt.callbacks import make_logger
from caer_ros.engines.trt.onnx_graph import read_graph
from caer_ros.engines.trt.profile import Profile

MODULE = "tensorrt_rtx_bindings"
INSTALL = "Run: pip install 'caer_ros[trt-check]' (95 MB)."
# Compute capability 8.6; Orin's 8.7 is not among its targets.
_TARGET = "SM86"
_HEAVY = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_LAYER = re.compile(
    r"Name: .*?, LayerType: (?P<kind>\w+), Inputs: \[(?P<inputs>.*?)\], "
    r"(?:Constants: \[(?P<constants>.*?)\], )?Outputs: "
)
_TYPE = re.compile(r"Datatype: (\w+)")
_NODE = re.compile(r"\[ONNX Layer: ([^\]]+?)(?: \[profile \d+\])?\]")
_SPOKEN = {"Int8": "INT8", "Half": "FP16", "Float": "FP32"}
UNREPORTED = "unreported"
_ONNX = {onnx.TensorProto.FLOAT: "FP32", onnx.TensorProto.FLOAT16: "FP16"}


class WrongTypes(CaerError):
    """TensorRT computes layers in another type than the ONNX file says."""


@dataclass(frozen=True)
class Checked:
    """What TensorRT made of an ONNX file.

    Attributes:
        types: by name of each convolution and matrix product of the ONNX file: INT8, FP16, FP32, or
            UNREPORTED where the builder does not mention it, such as where it folded it away.
        seconds: for parsing and building.
        size: of the engine, in bytes.
    """

    types: Mapping[str, str]
    seconds: float
    size: int

    def count(self) -> dict[str, int]:
        """How many layers compute in each type."""
        kinds = [*_SPOKEN.values(), UNREPORTED]
        counts = {kind: list(self.types.values()).count(kind) for kind in kinds}
        return {kind: count for kind, count in counts.items() if count}


def load_checker() -> ModuleType:
    """Import TensorRT-RTX.

    Raises:
        InputError: it is not installed, or does not load.
    """
    try:
        return importlib.import_module(MODULE)
    except ImportError as error:
        raise InputError(f"The check needs TensorRT-RTX: {error}.", INSTALL) from error


def check_file(path: Path, precision: str, profiles: Sequence[Profile]) -> Checked:
    """Parse and build an ONNX file, and compare what its layers compute in with what it says.

    Raises:
        InputError: TensorRT-RTX is not installed.
        EngineBuildError: it does not parse or build.
        WrongTypes: a convolution or product computes in another type than its weights have.
    """
    trt = load_checker()
    log = make_logger(trt)
    log.keep_all = True

    def adjust(config: Any) -> None:
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, _TARGET), 0)
        config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED

    graph = read_graph(path)
    start = time.monotonic()
    plan = build_plan(trt, graph, BuildOptions(precision, profiles), adjust=adjust, logger=log)
    seconds = time.monotonic() - start
    meant = meant_types(onnx.load_from_string(graph.data))
    found = built_types(log.lines, meant)
    _compare(path, meant, found)
    return Checked(found, seconds, len(plan.engine))


def meant_types(model: onnx.ModelProto) -> dict[str, str]:
    """What each convolution and matrix product is to compute in: the type of its second input.

    A product of weights that were never quantised has a plain FP32 or FP16 tensor there; a
    quantised one has DequantizeLinear.
    """
    makers = {output: node for node in model.graph.node for output in node.output}
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    inferred = onnx.shape_inference.infer_shapes(model).graph
    for value in [*inferred.value_info, *inferred.input, *inferred.output]:
        kinds[value.name] = value.type.tensor_type.elem_type
    meant = {}
    for node in model.graph.node:
        if node.op_type not in _HEAVY:
            continue
        both = [makers.get(name) for name in node.input[:2]]
        if all(maker is not None and maker.op_type == "DequantizeLinear" for maker in both):
            meant[node.name] = "INT8"
        else:
            meant[node.name] = _ONNX.get(kinds.get(node.input[1], onnx.TensorProto.FLOAT), "FP32")
    return meant


def built_types(lines: Iterable[str], nodes: Iterable[str]) -> dict[str, str]:
    """What the builder says, line by line, that these ONNX nodes compute in.

    A node leaves several layers: the product itself, and pointwise kernels before and after it,
    which are made of many nodes. Where there is only such a kernel, the product is part of it: it
    computes in the type of its weights, whatever the kernel reads and casts before.
    """
    products: dict[str, set[str]] = {}
    kernels: dict[str, set[str]] = {}
    for line in lines:
        found = _LAYER.search(line)
        if found is None:
            continue
        inputs, constants = _TYPE.findall(found["inputs"]), _TYPE.findall(found["constants"] or "")
        is_kernel = found["kind"] == "kgen"
        for name in _NODE.findall(line):
            where = kernels if is_kernel else products
            where.setdefault(name, set()).update((constants if is_kernel else None) or inputs)
    return {name: _narrowest(products.get(name) or kernels.get(name) or set()) for name in nodes}


def _narrowest(kinds: set[str]) -> str:
    return next((spoken for kind, spoken in _SPOKEN.items() if kind in kinds), UNREPORTED)


def _compare(path: Path, meant: Mapping[str, str], found: Mapping[str, str]) -> None:
    wrong = [
        f"{name} in {found[name]}, not {kind}"
        for name, kind in meant.items()
        if found[name] not in (kind, UNREPORTED)
    ]
    if wrong:
        raise WrongTypes(
            f"{path}: TensorRT computes {len(wrong)} layers in another type than the file says:"
            f" {'; '.join(wrong[:3])}{'; ...' if len(wrong) > 3 else ''}.",
            "Quantise or convert it anew: caer calibrate",
        )
