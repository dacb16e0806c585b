"""The same network in torch, from uint8 pictures to the same outputs, for comparison."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from caer_ros.core import InputError
from caer_ros.deploy.bench_jobs import Job
from caer_ros.deploy.export_benet import MapsOptions, RobotGraph
from caer_ros.networks.caer_net_s import CaerNetS
from caer_ros.networks.checkpoint import load_benet, load_checkpoint
from caer_ros.networks.inputs import CaerNetSGraph
from caer_ros.networks.registry import build_network

UNTRAINED = "untrained weights: cost only"


def open_torch(job: Job) -> tuple[Callable[[], object], dict[str, Any]]:
    """A call that runs the job's network once, and a note on its weights.

    Raises:
        InputError: no network for the task, no GPU, or no compiler for torch.compile.
    """
    torch.set_num_threads(job.threads)
    device = torch.device(job.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError("torch sees no CUDA GPU.")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    graph = network_graph(job.task, job.checkpoint).eval().to(device)
    graph = graph.half() if job.arithmetic == "fp16" else graph
    if job.row.endswith("compile"):
        _must_compile(device)
        graph = torch.compile(graph)
    inputs = [torch.from_numpy(array) for array in job.arrays().values()]

    def run() -> object:
        with torch.inference_mode():
            outputs = graph(*(each.to(device) for each in inputs))
        if device.type == "cuda":
            torch.cuda.synchronize()
        return outputs

    return run, {"note": "" if job.checkpoint else UNTRAINED}


def network_graph(task: str, checkpoint: str = "") -> nn.Module:
    """The module that is exported for this task, from uint8 pictures.

    Raises:
        InputError: there is none, or the checkpoint is unusable.
    """
    path = Path(checkpoint) if checkpoint else None
    if task == "caer_static":
        return CaerNetSGraph(load_checkpoint(path) if path else CaerNetS())
    if task == "person_emotion_maps":
        benet = load_benet(path) if path else build_network("benet")
        return RobotGraph(benet, MapsOptions())
    raise InputError(f"There is no torch network for the task {task}.")


def _must_compile(device: torch.device) -> None:
    compiler = os.environ.get("CXX", "g++")
    if device.type == "cpu" and not any(map(shutil.which, (compiler, "c++", "clang++"))):
        raise InputError("torch.compile needs a C++ compiler.")
