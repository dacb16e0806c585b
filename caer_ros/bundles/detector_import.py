"""Turns a published face detection ONNX file into a bundle that the robot can run as it is.

The published files have fixed sizes or dead inputs, and read float tensors. Here they get dynamic
axes, and a head that takes the frame as uint8 [1, height, width, 3], so that no Python code touches
pixels. The weights stay as published. Needs the `onnx` package, at installation only.
"""

from __future__ import annotations

import hashlib

import yaml

from caer_ros.core import InputError

_STRIDES = (8, 16, 32)

# published output name -> (our name, axes)
_Outputs = dict[str, tuple[str, list["int | str"]]]

_CENTERFACE: _Outputs = {
    "537": ("heatmap", ["batch", 1, "rows", "cols"]),
    "538": ("scale", ["batch", 2, "rows", "cols"]),
    "539": ("offset", ["batch", 2, "rows", "cols"]),
}
_YUNET: _Outputs = {
    f"{part}_{stride}": (f"{part}_{stride}", ["batch", f"cells_{stride}", width])
    for part, width in (("cls", 1), ("obj", 1), ("bbox", 4))
    for stride in _STRIDES
}
_KINDS = {
    "centerface": (_CENTERFACE, "rgb", "CenterFace", "MIT"),
    "yunet": (_YUNET, "bgr", "YuNet", "MIT (as published by its authors; check your file's)"),
}


def detector_files(kind: str, data: bytes, source: str) -> dict[str, bytes]:
    """The contents of a bundle folder, by file name.

    Args:
        kind: `centerface` or `yunet`.
        data: the ONNX file as its authors publish it.
        source: where it comes from, for model.yaml.

    Raises:
        InputError: unknown kind, no ONNX file, or another network.
    """
    if kind not in _KINDS:
        raise InputError(f"Unknown face detector '{kind}'.", f"Use one of {', '.join(_KINDS)}.")
    outputs, color, title, license_ = _KINDS[kind]
    model = _adapt(kind, data, outputs)
    manifest = {
        "schema": 1,
        "name": kind,
        "version": "1",
        "summary": f"{title} face detector.",
        "task": "face_detection",
        "source": source,
        "license": license_,
        "inputs": {
            "image": {
                "dtype": "uint8",
                "shape": [1, "height", "width", 3],
                "color": color,
                "multiple_of": 32,
            }
        },
        "outputs": {name: {"dtype": "float32", "shape": axes} for name, axes in outputs.values()},
        "decode": {"type": kind},
        "files": {"fp32": {"path": "fp32.onnx", "sha256": hashlib.sha256(model).hexdigest()}},
    }
    text = yaml.safe_dump(manifest, sort_keys=False)
    return {"fp32.onnx": model, "model.yaml": text.encode()}


def _adapt(kind: str, data: bytes, outputs: _Outputs) -> bytes:
    try:
        import onnx
    except ImportError as error:
        raise InputError(
            "Installing a face detector needs the onnx package.", "Run: pip install onnx"
        ) from error
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_from_string(data)
    except DecodeError as error:
        raise InputError("This is no ONNX file.", f"Give {kind}'s published ONNX file.") from error
    graph = model.graph
    missing = set(outputs) - {output.name for output in graph.output}
    if missing:
        raise InputError(
            f"This ONNX file is not {kind}: it has no output {sorted(missing)[0]}.",
            f"Give {kind}'s published ONNX file.",
        )
    weights = {initializer.name for initializer in graph.initializer}
    (entry,) = [value.name for value in graph.input if value.name not in weights]
    _rename_outputs(onnx, graph, outputs)
    _prepend_uint8_head(onnx, graph, entry)
    del graph.value_info[:]  # shapes inferred for the published size
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _rename_outputs(onnx, graph, outputs):  # type: ignore[no-untyped-def]  # onnx has no types
    for node in graph.node:
        for index, name in enumerate(node.output):
            if name in outputs:
                node.output[index] = outputs[name][0]
        for index, name in enumerate(node.input):
            if name in outputs:
                node.input[index] = outputs[name][0]
    del graph.output[:]
    graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, axes)
        for name, axes in outputs.values()
    )


def _prepend_uint8_head(onnx, graph, entry):  # type: ignore[no-untyped-def]
    head = [
        onnx.helper.make_node("Cast", ["image"], ["image_float"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("Transpose", ["image_float"], [entry], perm=[0, 3, 1, 2]),
    ]
    nodes = head + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.input[:]  # weights listed as inputs could not be folded
    graph.input.append(
        onnx.helper.make_tensor_value_info(
            "image", onnx.TensorProto.UINT8, [1, "height", "width", 3]
        )
    )
