"""The network as ONNX Runtime's integer kernels like it best; it computes the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from caer_ros.deploy.quantization.graph import Graph
from caer_ros.deploy.quantization.layers import TRANSPOSED, Layer, find_layers, protected
from caer_ros.deploy.quantization.padded import with_padded_channels
from caer_ros.deploy.quantization.rows import normalised_by_rows
from caer_ros.deploy.quantization.scales import Scales, weight_scales
from caer_ros.deploy.quantization.transposed import without_transposed


def for_onnxruntime(
    graph: Graph, layers: Sequence[Layer], scales: Scales, kept: Collection[str]
) -> tuple[Graph, list[Layer], Scales, set[str]]:
    """What write_qdq takes, for a file that only ONNX Runtime reads.

    A transposed convolution that was kept for being one becomes an INT8 layer of the same name.
    """
    reasons = protected(graph, layers)
    transposed = {name for name in kept if reasons.get(name) == TRANSPOSED}
    if isinstance(kept, Mapping):
        # Not what the user asked for.
        transposed = {name for name in transposed if kept[name] == TRANSPOSED}
    # Only what a ReLU or nothing comes after has a scale at the same place in both forms.
    plain = {
        x.name for x in layers if graph.producer[x.output].op_type in ("ConvTranspose", "Relu")
    }
    transposed &= plain
    known = set(scales.activation)
    model = without_transposed(graph.model, transposed)
    model = with_padded_channels(model, [each.name for each in layers if each.name not in kept])
    new = Graph(normalised_by_rows(model))
    made = find_layers(new)
    activation, not_negative = dict(scales.activation), set(scales.not_negative)
    for node in new.nodes:
        if node.op_type == "DepthToSpace" and node.output[0] in known:
            before, after = node.input[0], node.output[0]
            activation.setdefault(before, activation[after])
            if after in not_negative:
                not_negative.add(before)
    table = replace(scales, activation=activation, not_negative=frozenset(not_negative))
    table = replace(table, weight=weight_scales(new, made, activation))
    return new, made, table, (set(kept) - transposed) | (set(protected(new, made)) & transposed)
