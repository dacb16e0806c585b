"""What this device reaches at most: a large matrix product in each arithmetic, and a copy.

Measured with the libraries that run the networks, so that "the limit" is one that they can reach.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from caer_ros.core import InputError
from caer_ros.deploy.bench_jobs import Job

_SIDE, _CUDA_SIDE = 1024, 8192
_COPY, _CUDA_COPY = 64 << 20, 1 << 30
Timed = tuple[Callable[[], object], dict[str, Any]]


def matmul(job: Job) -> Timed:
    """A product of two square matrices; `amount` is its operations, two a multiply-add.

    Raises:
        InputError: nothing here computes in this arithmetic.
    """
    if job.device == "cuda":
        return _cuda_matmul(job.arithmetic)
    run = _onnxruntime(job) if job.arithmetic in ("fp32", "int8") else _openvino(job)
    return run, {"amount": 2 * _SIDE**3}


def copy(job: Job) -> Timed:
    """A copy far larger than the caches; `amount` is the bytes read and written."""
    if job.device == "cuda":
        torch = _cuda()
        source = torch.zeros(_CUDA_COPY, dtype=torch.uint8, device="cuda")
        target = torch.empty_like(source)
        return lambda: (target.copy_(source), torch.cuda.synchronize()), {"amount": 2 * _CUDA_COPY}
    parts = [(np.zeros(_COPY, np.uint8), np.ones(_COPY, np.uint8)) for _ in range(job.threads)]
    pool = ThreadPoolExecutor(job.threads)
    amount = 2 * _COPY * job.threads
    return lambda: list(pool.map(lambda pair: np.copyto(*pair), parts)), {"amount": amount}


def _onnxruntime(job: Job) -> Callable[[], object]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = job.threads
    integer = job.arithmetic == "int8"
    session = ort.InferenceSession(_product(integer), options, providers=["CPUExecutionProvider"])
    x = np.ones((_SIDE, _SIDE), np.uint8 if integer else np.float32)
    return lambda: session.run(None, {"x": x})


def _openvino(job: Job) -> Callable[[], object]:
    if job.arithmetic != "bf16":
        raise InputError(f"Nothing here multiplies in {job.arithmetic} on the CPU.")
    import openvino as ov

    core = ov.Core()
    model = core.compile_model(
        core.read_model(_product(integer=False)),
        "CPU",
        {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": job.threads},
    )
    request = model.create_infer_request()
    x = np.ones((_SIDE, _SIDE), np.float32)
    return lambda: (core, request.infer({"x": x}, share_inputs=True))


def _product(integer: bool) -> bytes:
    """`x` times a constant as ONNX: float32, or uint8 times int8 into int32."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.ones((_SIDE, _SIDE), np.int8 if integer else np.float32)
    kinds = (
        ("MatMulInteger", TensorProto.UINT8, TensorProto.INT32)
        if integer
        else ("MatMul", TensorProto.FLOAT, TensorProto.FLOAT)
    )
    graph = helper.make_graph(
        [helper.make_node(kinds[0], ["x", "w"], ["y"])],
        "ceiling",
        [helper.make_tensor_value_info("x", kinds[1], [_SIDE, _SIDE])],
        [helper.make_tensor_value_info("y", kinds[2], [_SIDE, _SIDE])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def _cuda_matmul(arithmetic: str) -> Timed:
    torch = _cuda()
    torch.backends.cuda.matmul.allow_tf32 = False
    shape = (_CUDA_SIDE, _CUDA_SIDE)
    amount = {"amount": 2 * _CUDA_SIDE**3}
    if arithmetic == "int8":
        a = torch.ones(shape, dtype=torch.int8, device="cuda")
        return lambda: (torch._int_mm(a, a.t()), torch.cuda.synchronize()), amount
    dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[arithmetic]
    b = torch.ones(shape, dtype=dtype, device="cuda")
    return lambda: (b @ b, torch.cuda.synchronize()), amount


def _cuda() -> Any:
    import torch

    if not torch.cuda.is_available():
        raise InputError("torch sees no CUDA GPU.")
    return torch
