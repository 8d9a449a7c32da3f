"""Streams of the v1 API, as a client hears them."""

from __future__ import annotations

from collections.abc import Iterator

from libprocess import PID, Runtime
from libprocess.http.stream import HttpStream
from mesos.v1.recordio import RecordDecoder


def records(node: Runtime, stream: PID) -> Iterator[bytes]:
    """What came since the last time; each record is a chunk of its own."""
    process = node.processes.get(stream)
    while isinstance(process, HttpStream) and (chunk := process.take()) is not None:
        [record] = RecordDecoder().feed(chunk)
        yield record
