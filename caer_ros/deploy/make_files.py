"""Writes drafts of the smaller files and asks them what FP32 was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from onnx import ModelProto

from caer_ros.deploy.calibrated import Made
from caer_ros.deploy.files_made import TARGETS, Target, fast_hints, open_hinted, open_target
from caer_ros.deploy.guard import Limits, findings
from caer_ros.deploy.judging.comparison import Comparison
from caer_ros.deploy.judging.judge import Judge, answers
from caer_ros.deploy.pictures.samples import Samples
from caer_ros.deploy.publish import Drafts
from caer_ros.deploy.quantization.graph import Graph
from caer_ros.deploy.quantization.half import to_half
from caer_ros.deploy.quantization.half_rounding import with_half_rounding
from caer_ros.deploy.quantization.plan import Plan
from caer_ros.deploy.quantization.qdq import SIGNED, UNSIGNED, write_qdq
from caer_ros.deploy.quantization.scales import Scales
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine

_FORMS = {"int8": SIGNED, "int8_onnxruntime": UNSIGNED}


class Maker:
    """Makes files and measures them on the same samples.

    Args:
        source: the bundle's FP32 file.
        held_out: samples not calibrated on.

    Attributes:
        compared: people that FP32 answers for.
    """

    def __init__(self, judge: Judge, held_out: Samples, source: Path, drafts: Drafts) -> None:
        self._judge, self._samples, self._drafts = judge, held_out, drafts
        self._source = source
        with OnnxRuntimeEngine(source) as engine:
            self._wanted = answers(judge, engine, held_out)
        self.compared = judge.compare(self._wanted, self._wanted, held_out).compared

    def int8(self, plan: Plan, scales: Scales, kept: Mapping[str, str], tries: int) -> Made:
        """Both INT8 files, without the `kept` layers.

        Raises:
            CaerError: a file can not be written or loaded.
        """
        measured = {}
        for target in TARGETS["int8"]:
            model = write_qdq(plan.graph, plan.layers, scales, kept, _FORMS[target.key])
            measured[target.key] = self._measure(target, model)
        files = {target.key: target.name for target in TARGETS["int8"]}
        return Made(files, measured, kept, {}, tries)

    def fp16(self, made: Made, graph: Graph, kept: Mapping[str, str]) -> Made:
        """The FP16 file beside those of `made`, without the `kept` layers, judged with the
        rounding of FP16 hardware.

        Raises:
            CaerError: the file can not be written or loaded.
        """
        (target,) = TARGETS["fp16"]
        model = to_half(graph, kept)
        # The file itself must load and run; the rounding that a CPU leaves out comes on top.
        self._measure(target, model)
        measured = self._measure(target, with_half_rounding(model), f"rounded-{target.name}")
        return replace(
            made,
            files={**made.files, target.key: target.name},
            measured={**made.measured, target.key: measured},
            kept_half=kept,
        )

    def hints(self, made: Made, limits: Limits) -> Made:
        """`made` with what the FP32 and INT8 files answer under each of OpenVINO's hints that this
        CPU has, as far as that is within the limits.

        Raises:
            CaerError: a file can not be loaded.
        """
        paths = {"fp32": self._source}
        if "int8" in made.files:
            paths["int8"] = self._drafts.path(made.files["int8"])
        found = {}
        for precision, path in paths.items():
            for hint in fast_hints():
                with open_hinted(path, hint) as engine:
                    got = answers(self._judge, engine, self._samples)
                measured = self._judge.compare(self._wanted, got, self._samples)
                if not findings(limits, measured):
                    found[f"{precision}_{hint}"] = measured
        return replace(made, hints=found)

    def _measure(self, target: Target, model: ModelProto, name: str = "") -> Comparison:
        path = self._drafts.write(name or target.name, model.SerializeToString())
        with open_target(path, target) as engine:
            got = answers(self._judge, engine, self._samples)
        return self._judge.compare(self._wanted, got, self._samples)
