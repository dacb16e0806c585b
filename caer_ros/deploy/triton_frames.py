"""BENet's preprocessing and its way back as ONNX graphs, for a server that gets whole frames."""

from __future__ import annotations

from onnx import ModelProto, TensorProto

from caer_ros.deploy.onnx_builder import GraphBuilder, value

_OPSET = 18  # Resize with antialias
# Of a frame's long side to its short one, as in perception.benet: a strip gets smaller as a whole.
_LONGEST = 4


def frames_to_images(short_side: int, multiple: int) -> ModelProto:
    """Frames of any size, fitted into BENet's input where `fit_frame.fit_short_side` puts them.

    `frames` uint8 [cameras, H, W, 3], RGB -> `images` uint8 [cameras, h, w, 3], and `fit` float32
    [cameras, 4]: scale of x and y, left, top. Where frames shrink, the filter is a triangle, and
    OpenCV's a box: values differ a little.
    """
    g = GraphBuilder()
    shape = g.node("Shape", ["frames"])
    cameras, height, width = (g.pick(shape, axis) for axis in range(3))
    scale = _scale(g, height, width, short_side)
    inner_h, inner_w = _scaled(g, height, scale), _scaled(g, width, scale)
    top, bottom = _border(g, inner_h, multiple)
    left, right = _border(g, inner_w, multiple)

    planes = g.node("Transpose", ["frames"], perm=[0, 3, 1, 2])
    sizes = g.join(cameras, g.ints(3), inner_h, inner_w)
    resized = g.node("Resize", [planes, "", "", sizes], mode="linear", antialias=1)
    none = g.ints(0, 0)
    padded = g.node("Pad", [resized, g.join(none, top, left, none, bottom, right)])
    g.node("Transpose", [padded], "images", perm=[0, 2, 3, 1])

    row = g.join(
        _ratio(g, inner_w, width), _ratio(g, inner_h, height), _real(g, left), _real(g, top)
    )
    g.node("Expand", [row, g.join(cameras, g.ints(4))], "fit")
    return g.model(
        [value("frames", TensorProto.UINT8, ["cameras", "height", "width", 3])],
        [
            value("images", TensorProto.UINT8, ["cameras", "input_height", "input_width", 3]),
            value("fit", TensorProto.FLOAT, ["cameras", 4]),
        ],
        _OPSET,
    )


def boxes_to_frames(rows: int) -> ModelProto:
    """Boxes in pixels of the frame from boxes in pixels of the input; not clipped.

    `boxes` float32 [cameras, rows, 4] and `fit` of frames_to_images -> `frame_boxes`, as `boxes`.
    """
    g = GraphBuilder()
    axis = g.ints(1)
    scales = g.node("Slice", ["fit", g.ints(0), g.ints(2), axis])
    offsets = g.node("Slice", ["fit", g.ints(2), g.ints(4), axis])
    scales, offsets = (
        g.node("Unsqueeze", [g.join(part, part, axis=1), axis]) for part in (scales, offsets)
    )
    g.node("Div", [g.sub("boxes", offsets), scales], "frame_boxes")
    shape = ["cameras", rows, 4]
    return g.model(
        [value("boxes", TensorProto.FLOAT, shape), value("fit", TensorProto.FLOAT, ["cameras", 4])],
        [value("frame_boxes", TensorProto.FLOAT, shape)],
        _OPSET,
    )


def _scale(g: GraphBuilder, height: str, width: str, short_side: int) -> str:
    """Double [1], of the picture to the input; as perception.benet chooses it."""
    short, long = g.node("Min", [height, width]), g.node("Max", [height, width])
    limit = g.div(g.mul(short, g.ints(_LONGEST * short_side)), long)
    target = g.node("Min", [limit, g.ints(short_side)])
    target = g.node("Max", [target, g.ints(1)])
    return g.div(g.cast(target, TensorProto.DOUBLE), g.cast(short, TensorProto.DOUBLE))


def _scaled(g: GraphBuilder, side: str, scale: str) -> str:
    """int64 [1], at least 1. Round goes to the even one of two as near, as Python's does."""
    exact = g.mul(g.cast(side, TensorProto.DOUBLE), scale)
    whole = g.cast(g.node("Round", [exact]), TensorProto.INT64)
    return g.node("Max", [whole, g.ints(1)])


def _border(g: GraphBuilder, inner: str, multiple: int) -> tuple[str, str]:
    """Pixels before and after, up to the next multiple; the odd one comes after."""
    blocks = g.div(g.add(inner, g.ints(multiple - 1)), g.ints(multiple))
    missing = g.sub(g.mul(blocks, g.ints(multiple)), inner)
    before = g.div(missing, g.ints(2))
    return before, g.sub(missing, before)


def _ratio(g: GraphBuilder, inner: str, side: str) -> str:
    return g.div(_real(g, inner), _real(g, side))


def _real(g: GraphBuilder, name: str) -> str:
    return g.cast(name, TensorProto.FLOAT)
