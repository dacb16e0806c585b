"""The node in somebody else's process and executor, as docs/launch.md shows it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def test_the_sample_of_the_documents_runs(stage, root):
    sample = (root / "docs" / "launch.md").read_text().split("```python\n")[1].split("```")[0]
    process = subprocess.Popen(
        [sys.executable, "-c", sample, "--ros-args", "-p", "backend:=onnxruntime"],
        env={**os.environ, "ROS_DOMAIN_ID": str(stage.domain)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        probe = stage.probe
        heard = probe.until(lambda: probe.node.count_subscribers("/rear/image_raw") == 1, 60.0)
        assert heard
        assert probe.node.count_subscribers("/front/image_raw") == 1
        assert probe.state() == "active"
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=10)[0]
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert "Traceback" not in said
