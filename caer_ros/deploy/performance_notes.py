"""What docs/performance.md says of how it was measured."""

from __future__ import annotations

EXPLAINED = (
    "## How it was measured",
    "",
    "- Each row runs in a process of its own, so that its peak memory is its own. The processes"
    " take turns; in each turn one run is not timed. Medians and percentiles are over all timed"
    " runs; `× first row` is the median, over the rounds, of the ratio of the two medians of that"
    " round.",
    "- Inputs are uint8 noise and go through the same graph everywhere, normalisation and BENet's"
    " decoding included. Torch runs in inference mode.",
    "- `peak MB` counts Python and the libraries. `load s` is import, loading and the first run"
    " with no cache; OpenVINO and ONNX Runtime keep what they compile on a robot.",
    "- `of limit`: the least time that this device could take over the median. That is the longer"
    " of two: all multiply-adds at the speed of a 1024 x 1024 matrix product in the row's"
    " arithmetic, and weights, inputs and outputs once through memory. Both speeds are the best of"
    " the same run. Winograd's convolutions multiply less often than is counted, so FP32 may come"
    " above 100 %.",
    "- `fixed`: OpenVINO compiled for these sizes alone, as the robot does for BENet once the"
    " camera's frames have come five times in the same size; BENet's goal is of that row.",
    "- `read`: bytes of an image message to a picture; nothing is copied. `detect`: the face"
    " detector with its own resizing. `decode`: the networks' outputs to people. `track`: ids and"
    " smoothing. `report`: the result as a line of JSON, as `caer run` writes it; `ROS messages`:"
    " the same as messages, in and out. On a CPU nothing is copied to a device. `bare networks`:"
    " the same two networks on the same inputs, alone.",
    "",
)
