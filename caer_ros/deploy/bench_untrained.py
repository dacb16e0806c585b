"""A BENet with random weights as a bundle, FP32 and INT8: to be timed and thrown away.

What a network costs does not depend on its weights; what it says does, and nobody asks it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from caer_ros.bundles import Bundle, read_bundle
from caer_ros.deploy.bench_torch import UNTRAINED
from caer_ros.deploy.card import About
from caer_ros.deploy.export_benet import MapsOptions, export_for_timing
from caer_ros.deploy.files_made import TARGETS
from caer_ros.deploy.publish import Drafts
from caer_ros.deploy.quantization.collect import collect
from caer_ros.deploy.quantization.plan import Plan
from caer_ros.deploy.quantization.qdq import SIGNED, UNSIGNED, write_qdq
from caer_ros.deploy.quantization.runner import Arrays
from caer_ros.networks.benet.benet import BENet

# Ranges come from noise of this size: they change no time.
_SIDE = 128
_PICTURES = 2
_FORMS = {"int8": SIGNED, "int8_onnxruntime": UNSIGNED}


def untrained_bundle(network: BENet, folder: Path, short_side: int) -> Bundle:
    """Export a network in evaluation mode and quantise it on noise, with the layers in higher
    precision that every BENet has there.

    Args:
        folder: made; the bundle's name is its last part.
        short_side: pixels, as the bundle's own.

    Raises:
        InputError: the network has no detection head.
    """
    about = About(folder.name, "untrained", {}, True, UNTRAINED)
    export_for_timing(network, folder, about, MapsOptions(short_side))
    plan = Plan.of(read_bundle(folder).model_file("fp32", "openvino"))
    scratch = folder / "ranges"
    ranges = collect(plan.graph.model, plan.tensors, _noise(), scratch, {})
    scales = plan.scales(ranges, "minmax", 100.0)
    with Drafts(folder) as drafts:
        for target in TARGETS["int8"]:
            form = _FORMS[target.key]
            model = write_qdq(plan.graph, plan.layers, scales, plan.reasons, form)
            drafts.write(target.name, model.SerializeToString())
        drafts.publish(lambda card: None, {t.key: t.name for t in TARGETS["int8"]})
    return read_bundle(folder)


def _noise() -> list[Callable[[], Arrays]]:
    rng = np.random.default_rng(0)
    shape = (1, _SIDE, _SIDE, 3)
    pictures = [rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(_PICTURES)]
    return [lambda picture=picture: {"images": picture} for picture in pictures]
