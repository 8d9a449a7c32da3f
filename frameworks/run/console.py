"""What the user of mesos-run sees: the states of the instances on stderr, and what they write where they write it."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import BinaryIO

from frameworks.carrier.protocol import Stream
from frameworks.run.instance import Instance
from mesos.ids import TaskID

PROGRAM = "mesos-run"


class Console:
    """The `Watcher` at the terminal, or at the end of pipes."""

    def __init__(self, instances_count: int) -> None:
        self._has_several = instances_count > 1
        self._begun: defaultdict[tuple[TaskID, Stream], bytes] = defaultdict(bytes)

    def changed(self, instance: Instance, message: str) -> None:
        """See `Watcher`."""
        if instance.exit_status is not None:
            self._end_lines(instance)
        self.notice(
            f"{instance.task_id} on {instance.hostname}: {instance.state}" + (f", {message}" if message else "")
        )

    def notice(self, text: str) -> None:
        """See `Watcher`."""
        print(f"{PROGRAM}: {text}", file=sys.stderr, flush=True)

    def wrote(self, instance: Instance, stream: Stream, data: bytes) -> None:
        """See `Watcher`. Several instances' lines are told apart by the task in front, and never mixed."""
        if not self._has_several:
            self._print(stream, data)
            return
        whole, newline, begun = (self._begun.pop((instance.task_id, stream), b"") + data).rpartition(b"\n")
        if begun:
            self._begun[instance.task_id, stream] = begun
        if newline:
            self._print_lines(instance, stream, whole)

    def _end_lines(self, instance: Instance) -> None:
        for stream in Stream:
            begun = self._begun.pop((instance.task_id, stream), b"")
            if begun:
                self._print_lines(instance, stream, begun)

    def _print_lines(self, instance: Instance, stream: Stream, lines: bytes) -> None:
        prefix = f"{instance.task_id}: ".encode()
        self._print(stream, b"".join(prefix + line + b"\n" for line in lines.split(b"\n")))

    @staticmethod
    def _print(stream: Stream, data: bytes) -> None:
        target: BinaryIO = sys.stdout.buffer if stream is Stream.STDOUT else sys.stderr.buffer
        target.write(data)
        target.flush()
