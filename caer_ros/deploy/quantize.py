"""Static post-training INT8 with explicit QDQ nodes, in the two forms that back ends want."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

METHOD = "MinMax averaged over batches, per-channel weights"
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Form:
    """One kind of INT8 file: activation type, quantised operators, options of the quantiser."""

    activation: QuantType
    operators: tuple[str, ...]
    options: Mapping[str, Any]


# TensorRT's parser refuses INT32 biases and asymmetric activations, and wants weights as Q + DQ.
# Convolutions' outputs stay unquantised there: the fused ReLU and pool come before the next Q.
SIGNED = Form(
    QuantType.QInt8,
    ("Conv",),
    {
        "ActivationSymmetric": True,
        "WeightSymmetric": True,
        "AddQDQPairToWeight": True,
        "QuantizeBias": False,
        "OpTypesToExcludeOutputQuantization": ["Conv"],
    },
)
# ONNX Runtime's integer kernels want unsigned activations and quantised outputs all along.
UNSIGNED = Form(QuantType.QUInt8, ("Conv", "MaxPool"), {"WeightSymmetric": True})


class _Reader(CalibrationDataReader):
    def __init__(self, batches: Sequence[Arrays]) -> None:
        self._batches: Iterator[Arrays] = iter(batches)

    def get_next(self) -> Arrays | None:
        return next(self._batches, None)


def quantize(source: Path, target: Path, form: Form, batches: Sequence[Arrays]) -> list[str]:
    """Write `source` (FP32 ONNX) as INT8 to `target`, calibrated on `batches`.

    Returns:
        Names of the convolutions left in FP32: the one-channel attention score, whose softmax turns
        small errors into other maps. Softmax and the fusion's linear layers are never quantised.
    """
    prepared = target.with_name(f".prepared-{target.name}")
    try:
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        excluded = _attention_scores(onnx.load(prepared))
        # The quantiser reports every node through the root logger.
        logging.disable(logging.WARNING)
        quantize_static(
            str(prepared),
            str(target),
            _Reader(batches),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(form.operators),
            per_channel=True,
            activation_type=form.activation,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=excluded,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"CalibMovingAverage": True, **form.options},
        )
    finally:
        logging.disable(logging.NOTSET)
        prepared.unlink(missing_ok=True)
    onnx.checker.check_model(onnx.load(target))
    return excluded


def _attention_scores(model: onnx.ModelProto) -> list[str]:
    shapes = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    return [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and shapes[node.input[1]][0] == 1
    ]
