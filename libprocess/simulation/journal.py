"""The journal of a world: the records of all its nodes, in the order in which things happened."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from libprocess.recording import Digest, Record, Sink, Tracer, as_text, encode_record, events, names_record, node_record
from libprocess.runtime import Runtime

BATCH_RECORDS = 4096


class Journal:
    """Gathers records, and writes them in batches to a digest and to whatever sinks are attached."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Runtime, Record], None]] = []
        """Called with every record of a node at once, while it holds the very objects that the actors have."""
        self._headers: list[Record] = []
        self._batch: list[Record] = []
        self._last_batch: list[Record] = []
        self._digest = Digest()
        self._sinks: list[Sink] = [self._digest]

    def tracer(self, node: Runtime) -> Tracer:
        """What the node is to be traced with; each run of a node has a number of its own."""
        self.flush()
        number = len(self._headers)
        header = node_record(node, number)
        self._headers.append(header)
        for sink in self._sinks:
            sink.begin(encode_record(header))
        return Tracer(node, partial(self._take, node), number)

    def attach(self, sink: Sink) -> None:
        """Write what happens from now on to this sink too."""
        self.flush()
        for header in self._headers:
            sink.begin(encode_record(header))
        sink.begin(encode_record(names_record()))
        self._sinks.append(sink)

    def _take(self, node: Runtime, record: Record) -> None:
        self._batch.append(record)
        for listener in self.listeners:
            listener(node, record)
        if len(self._batch) >= BATCH_RECORDS:
            self.flush()

    def flush(self) -> None:
        """Write what is gathered."""
        if self._batch:
            self._last_batch, self._batch = self._batch, []
            records = list(map(encode_record, self._last_batch))
            for sink in self._sinks:
                sink.write(records)

    def digest(self) -> str:
        """The fingerprint of all that happened so far."""
        self.flush()
        return self._digest.hex

    def tail(self, count: int) -> list[str]:
        """The last events, as lines of text."""
        told = events([*self._headers, *self._last_batch, *self._batch])
        return [as_text(event) for event in list(told)[-count:]]
