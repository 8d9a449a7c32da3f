"""Large reads, from snapshots that are brought up to date bit by bit, between the master's other mail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from libprocess.http import HttpRequest, HttpResponse, HttpResponseMessage
from libprocess.http.exchange import to_json
from libprocess.http.pieces import Pieces
from libprocess.message import Message
from master.dialogues.base import Dialogue
from master.http.snapshot import Shapes, Snapshot
from master.http.watched import WatchedCluster
from master.records import Cluster
from mesos.forms import Json

PIECES_PER_TURN = 64
"""How many pieces are encoded before other mail has its turn: about a millisecond's worth."""

Answer = Callable[[], None]
Kind = Shapes | Callable[[Cluster], Snapshot]
"""What a snapshot shows; or how one is made that shows more than agents and frameworks each by themselves."""


class RefreshSnapshotsMessage(Message, frozen=True):
    """Master → itself, while somebody waits for a large read: go on with it."""


class Reading(Dialogue):
    """Answers of any size, each as the cluster is at the moment at which it leaves."""

    _snapshots: dict[Kind, Snapshot]
    _readers: dict[Snapshot, list[Answer]]
    """Who waits until a snapshot is up to date."""

    def serve(self) -> None:
        """Answer from now on."""
        self._snapshots = {}
        self._readers = {}

    def read(
        self,
        name: str,
        request: HttpRequest,
        shapes: Kind,
        head: Callable[[], Json],
        parts: Callable[[Snapshot], dict[str, Iterable[bytes]]],
    ) -> HttpResponse | None:
        """Answer with an object: `head`, and lists out of a snapshot after it."""

        def whole(snapshot: Snapshot) -> Iterator[bytes]:
            yield to_json(head())[:-1]
            for name, list_ in parts(snapshot).items():
                yield f',"{name}":'.encode()
                yield from list_
            yield b"}"

        # Who is shown other fields is answered apart: what is compressed once is for all who ask for the same.
        return self.read_whole(f"{name} with {', '.join(head())}", request, shapes, whole, head)

    def read_whole(
        self,
        series: str,
        request: HttpRequest,
        shapes: Kind,
        parts: Callable[[Snapshot], Iterable[bytes]],
        beside: Callable[[], Any] = dict,
    ) -> HttpResponse | None:
        """Answer with what a snapshot says, and what is said `beside` it. Nothing if the client has that already."""
        snapshot, asker = self.snapshot(shapes), self.sender
        tag = self._tag(series, snapshot, beside())
        if request.has(tag):
            return HttpResponse.not_modified(tag)

        def response() -> HttpResponse:
            return HttpResponse.json_of(Pieces(parts(snapshot), series, self._tag(series, snapshot, beside())))

        if snapshot.refresh(PIECES_PER_TURN):
            return response()
        self.when_fresh(snapshot, lambda: self.send(asker, HttpResponseMessage(response())))
        return None

    def _tag(self, series: str, snapshot: Snapshot, beside: Any) -> str:
        """The ETag of what is read now: it is another after every change, and at every master."""
        said = [self.info.id, series, beside]
        digest = hashlib.blake2b(to_json(said), digest_size=8).hexdigest()
        return f'W/"{snapshot.version}-{digest}"'

    def snapshot(self, shapes: Kind) -> Snapshot:
        """A snapshot of this kind; it is made when somebody wants it for the first time."""
        if shapes not in self._snapshots:
            assert isinstance(self.cluster, WatchedCluster)
            make = partial(Snapshot, shapes) if isinstance(shapes, Shapes) else shapes
            self._snapshots[shapes] = make(self.cluster)
            self.cluster.watchers += (self._snapshots[shapes],)
        return self._snapshots[shapes]

    def when_fresh(self, snapshot: Snapshot, answer: Answer) -> None:
        """Do something as soon as a snapshot is up to date, in the same turn."""
        if not self._readers:
            self.delay(0.0, RefreshSnapshotsMessage())
        self._readers.setdefault(snapshot, []).append(answer)

    def refresh_snapshots(self, message: RefreshSnapshotsMessage) -> None:
        """See the message."""
        if not self.is_own():
            return
        for snapshot in list(self._readers):
            if snapshot.refresh(PIECES_PER_TURN):
                for answer in self._readers.pop(snapshot):
                    answer()
        if self._readers:
            self.delay(0.0, RefreshSnapshotsMessage())
