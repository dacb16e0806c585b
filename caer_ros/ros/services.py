"""The node's services: other models, a snapshot, a recording. Each answers in its own time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future as PlainFuture
from pathlib import Path
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from caer_msgs.srv import Record, SetModel, Snapshot
from caer_ros.core import CaerError
from caer_ros.ros.recorder import Recorder
from caer_ros.ros.snapshot import Snapshots
from caer_ros.ros.worker import one_line

Change = Callable[[dict[str, Any], Callable[[Any], None]], None]


class Services:
    """`~/set_model`, `~/snapshot` and `~/record`. Nothing here waits in the executor's thread.

    Args:
        change: changes parameters of the models; calls its second argument with the error or None,
            in the executor's thread.
        describe: what runs, in one line.
        later: runs a function soon in the executor's thread; from any thread.
    """

    def __init__(
        self,
        node: Node,
        snapshots: Snapshots,
        recorder: Recorder,
        change: Change,
        describe: Callable[[], str],
        later: Callable[[Callable[[], None]], None],
    ) -> None:
        self._snapshots = snapshots
        self._recorder = recorder
        self._change = change
        self._describe = describe
        self._later = later
        # In the node's own group, which runs one callback at a time, a service that awaits would
        # keep out everything else of the node, also what it awaits.
        group = ReentrantCallbackGroup()
        for kind, name, answer in (
            (SetModel, "~/set_model", self._set_model),
            (Snapshot, "~/snapshot", self._snapshot),
            (Record, "~/record", self._record),
        ):
            node.create_service(kind, name, answer, callback_group=group)

    async def _set_model(
        self, request: SetModel.Request, response: SetModel.Response
    ) -> SetModel.Response:
        asked = {name: getattr(request, name) for name in ("model", "precision", "backend")}
        wanted = {name: value for name, value in asked.items() if value}
        answer: Future = Future()
        self._change(wanted, answer.set_result)
        error = await answer
        response.success = error is None
        response.message = self._describe() if error is None else one_line(error)
        return response

    async def _snapshot(
        self, request: Snapshot.Request, response: Snapshot.Response
    ) -> Snapshot.Response:
        answer: Future = Future()

        def done(kept: PlainFuture[Path]) -> None:
            self._later(lambda: answer.set_result(kept))

        self._snapshots.request(request.camera).add_done_callback(done)
        kept: PlainFuture[Path] = await answer
        error = kept.exception()
        response.success = error is None
        response.path = "" if error is not None else str(kept.result())
        response.message = f"wrote {response.path}" if error is None else one_line(error)
        return response

    def _record(self, request: Record.Request, response: Record.Response) -> Record.Response:
        try:
            if request.start:
                path = self._recorder.start(request.label, request.camera)
                response.message = self._recorder.report
            else:
                path = self._recorder.stop()
                response.message = f"wrote {path}"
        except CaerError as error:
            response.message = one_line(error)
        else:
            response.success, response.path = True, str(path)
        return response
