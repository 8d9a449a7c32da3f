"""Recording: what happened on a node, as records that a tool can read later.

    runtime.trace = Recorder(runtime, BoundedFile("node.trace", limit_bytes=64 << 20))
    runtime.trace = FlightRecorder(runtime, seconds=30)

The format is told in `libprocess.recording.tracer`.
"""

from __future__ import annotations

from libprocess.recording.digest import Digest
from libprocess.recording.events import Event, events
from libprocess.recording.files import BoundedFile, Recording, expanded, read_recording
from libprocess.recording.flight import FlightRecorder
from libprocess.recording.inputs import record_inputs
from libprocess.recording.naming import names_record
from libprocess.recording.recorder import Recorder, Sink, encode_record, header
from libprocess.recording.text import as_text
from libprocess.recording.tracer import VERSION, Record, Tracer, node_record

__all__ = [
    "VERSION",
    "BoundedFile",
    "Digest",
    "Event",
    "FlightRecorder",
    "Record",
    "Recorder",
    "Recording",
    "Sink",
    "Tracer",
    "as_text",
    "encode_record",
    "events",
    "expanded",
    "header",
    "names_record",
    "node_record",
    "read_recording",
    "record_inputs",
]
