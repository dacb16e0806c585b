"""Both kinds of cameras are heard, and where none can be, diagnostics say why."""

from __future__ import annotations

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus

# A warning at first, an error after some more seconds: a busy machine may hear of the second only.
SILENT = (DiagnosticStatus.WARN, DiagnosticStatus.ERROR)
LARGE = np.full((720, 1280, 3), 120, np.uint8)  # larger than the default transport's buffers


@pytest.mark.parametrize("kind", ["stage", "reliable_stage"])
def test_both_kinds_of_camera_are_heard(kind, request):
    stage = request.getfixturevalue(kind)
    node = stage.active_node()
    stage.probe.spin(1.5)  # `auto` settles
    sent = 10
    answered = sum(stage.probe.ask(LARGE, 3.0) is not None for _ in range(sent))
    assert answered == sent, node.output
    assert "default transport" not in node.output


def test_auto_follows_a_reliable_camera(reliable_stage):
    reliable_stage.active_node()
    topic = "/camera/image_raw"

    def asked() -> list[str]:
        readers = reliable_stage.probe.node.get_subscriptions_info_by_topic(topic)
        return [reader.qos_profile.reliability.name for reader in readers]

    assert reliable_stage.probe.until(lambda: asked() == ["RELIABLE"], 5.0), asked()


def test_qos_that_never_match_are_explained(stage):
    node = stage.node(input_qos="reliable", stale_after_s=0.5)
    explained = stage.probe.until(
        lambda: (
            "input" in stage.probe.parts
            and "never match" in stage.probe.parts["input"].message
            and stage.probe.parts["input"].level in SILENT
        ),
        20.0,
    )
    assert explained, node.output
    text = stage.probe.parts["input"].message
    assert "/camera/image_raw" in text
    assert "best effort" in text
    assert "reliable" in text
    assert "input_qos" in text


def test_a_topic_that_nobody_publishes_is_named(stage):
    stage.node(image_topic="nowhere/image", stale_after_s=0.5)
    named = stage.probe.until(
        lambda: (
            "input" in stage.probe.parts
            and "nobody publishes /nowhere/image" in stage.probe.parts["input"].message
        ),
        20.0,
    )
    assert named, stage.probe.parts
    assert stage.probe.parts["input"].level in SILENT
