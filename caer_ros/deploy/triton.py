"""A bundle as a model repository of Triton Inference Server, for many cameras on one machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import ModelProto

from caer_ros.bundles import Bundle, write_atomically
from caer_ros.core import InputError
from caer_ros.deploy.triton_config import Ensemble, OnnxModel, Step, Tensor
from caer_ros.deploy.triton_frames import boxes_to_frames, frames_to_images
from caer_ros.deploy.triton_people import people_by_camera

ACCELERATORS = ("none", "tensorrt")


@dataclass(frozen=True)
class Options:
    """What the server is to do.

    Attributes:
        precision: of the bundle's files.
        batch: most requests in one run.
        accelerator: `tensorrt` has ONNX Runtime hand the network to TensorRT, which builds an
            engine when the server starts; `none` does not.

    Raises:
        InputError: a value out of its range.
    """

    precision: str = "fp32"
    batch: int = 8
    accelerator: str = "none"

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= 256:
            raise InputError(f"batch is {self.batch}.", "Use 1 to 256.")
        if self.accelerator not in ACCELERATORS:
            raise InputError(
                f"Unknown accelerator '{self.accelerator}'.", f"Use {' or '.join(ACCELERATORS)}."
            )


def write_repository(bundle: Bundle, folder: Path, options: Options) -> list[str]:
    """Write the bundle's models and README.md below `folder`; what else lies there stays.

    Returns:
        names of the models, the one for clients first.

    Raises:
        InputError: the bundle's task is none that is served, or it lacks the precision.
    """
    writers = {"caer_static": _caer, "person_emotion_maps": _benet}
    if bundle.task not in writers:
        raise InputError(
            f"Bundle '{bundle.name}' has task {bundle.task}, which is not served.",
            f"Name one of task {' or '.join(writers)}.",
        )
    backend = "tensorrt" if options.accelerator == "tensorrt" else "onnxruntime"
    network = onnx.load(str(bundle.model_file(options.precision, backend)))
    names = writers[bundle.task](bundle, network, folder, options)
    write_atomically(folder / "README.md", _readme(bundle, names, options).encode())
    return names


def _caer(bundle: Bundle, network: ModelProto, folder: Path, options: Options) -> list[str]:
    side, context = (int(bundle.inputs[name]["shape"][1]) for name in ("face", "context"))
    map_shape = tuple(int(size) for size in bundle.outputs["attention"]["shape"][1:])
    config = OnnxModel(
        bundle.name,
        [
            Tensor("face", "uint8", (-1, side, side, 3)),
            Tensor("context", "uint8", (context, context, 3)),
        ],
        [
            Tensor("probabilities", "float32", (-1, len(bundle.labels))),
            Tensor("fusion", "float32", (-1, 2)),
            Tensor("attention", "float32", map_shape),
        ],
        options.batch,
        _accelerator(options),
        _about(bundle, options),
    )
    temperature = float(bundle.decode.get("temperature", 1.0))
    _write(folder, config, people_by_camera(network, temperature))
    return [config.name]


def _benet(bundle: Bundle, network: ModelProto, folder: Path, options: Options) -> list[str]:
    images, rows = bundle.inputs["images"], int(bundle.decode["top_k"])
    fit = OnnxModel(
        f"{bundle.name}_fit",
        [Tensor("frames", "uint8", (-1, -1, 3))],
        [Tensor("images", "uint8", (-1, -1, 3)), Tensor("fit", "float32", (4,))],
        options.batch,
    )
    found = [name for name in bundle.outputs if name != "heat"]
    outputs = [_output(bundle, name) for name in found]
    people = OnnxModel(
        f"{bundle.name}_network",
        fit.outputs[:1],
        outputs,
        options.batch,
        _accelerator(options),
        _about(bundle, options),
    )
    back = OnnxModel(
        f"{bundle.name}_boxes",
        [Tensor("boxes", "float32", (rows, 4)), fit.outputs[1]],
        [Tensor("frame_boxes", "float32", (rows, 4))],
        options.batch,
    )
    # The network's boxes stay inside the ensemble; its clients see those in their frames.
    inside = {name: "input_boxes" if name == "boxes" else name for name in found}
    whole = Ensemble(
        bundle.name,
        fit.inputs,
        outputs,
        options.batch,
        [
            Step(fit.name, {"frames": "frames"}, {"images": "images", "fit": "fit"}),
            Step(people.name, {"images": "images"}, inside),
            Step(back.name, {"boxes": "input_boxes", "fit": "fit"}, {"frame_boxes": "boxes"}),
        ],
    )
    short_side, multiple = int(images["short_side"]), int(images["multiple_of"])
    _write(folder, fit, frames_to_images(short_side, multiple))
    _write(folder, people, network)
    _write(folder, back, boxes_to_frames(rows))
    write_atomically(folder / whole.name / "config.pbtxt", whole.to_text().encode())
    # Triton wants a version of an ensemble too, with nothing in it.
    (folder / whole.name / "1").mkdir(exist_ok=True)
    return [whole.name, fit.name, people.name, back.name]


def _write(folder: Path, config: OnnxModel, model: ModelProto) -> None:
    write_atomically(folder / config.name / "1" / "model.onnx", model.SerializeToString())
    write_atomically(folder / config.name / "config.pbtxt", config.to_text().encode())


def _output(bundle: Bundle, name: str) -> Tensor:
    entry = bundle.outputs[name]
    return Tensor(name, str(entry["dtype"]), tuple(int(size) for size in entry["shape"][1:]))


def _accelerator(options: Options) -> str:
    return "" if options.accelerator == "none" else options.accelerator


def _about(bundle: Bundle, options: Options) -> dict[str, str]:
    about = {
        "labels": ",".join(bundle.labels),
        "bundle": f"{bundle.name} {bundle.version}",
        "precision": options.precision,
    }
    return about | ({"notice": bundle.notice} if bundle.notice else {})


def _readme(bundle: Bundle, names: Sequence[str], options: Options) -> str:
    return "\n".join(
        [
            f"# {bundle.name} {bundle.version} for Triton Inference Server",
            "",
            *([f"**{bundle.notice}**", ""] if bundle.notice else []),
            f"Models: {', '.join(names)}. Precision {options.precision}, at most {options.batch}"
            f" requests a run, accelerator {options.accelerator}.",
            "",
            _USE[bundle.task],
            f"Labels, in order: {', '.join(bundle.labels)}.",
            "",
            "    tritonserver --model-repository=THIS_FOLDER",
            "",
            "caer_ros's tests run these graphs step by step on ONNX Runtime, compare them with the"
            " bundle, and parse the configurations with Triton's published protobuf. They have not"
            " been run inside a Triton server.",
            "",
        ]
    )


_USE = {
    "caer_static": (
        "Clients find the faces, cut them and hide them from the context, as the robot does"
        " (`caer_ros.perception.preprocess`). One request is one frame: `face` uint8"
        " [1, faces, S, S, 3] and `context` uint8 [1, C, C, 3], RGB. Requests with the same number"
        " of faces run together; pad to 1, 2, 4 or 8 faces to have more of them do so."
    ),
    "person_emotion_maps": (
        "Clients send whole frames: `frames` uint8 [1, height, width, 3], RGB, any size. Frames of"
        " one size run together. `boxes` are in pixels of the frame, best first, not clipped; rows"
        " with a score below the threshold are nobody."
    ),
}
