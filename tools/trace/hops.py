"""Hops: the way of each message from one actor to another, put together from what both nodes tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from tools.trace.busy import Busy
from tools.trace.story import Pid, Step

REMEMBERED_MAX = 200_000


class Hop:
    """One message's way. Times are in seconds since 1970; None for what no recording tells.

    posted → left (its node) → came (to the other node's door) → begun → ended
    """

    __slots__ = (
        *("arrived", "begun", "came", "cause", "dropped", "ended", "from_node", "id", "left"),
        *("message", "node", "posted", "row", "seconds", "sender", "to"),
    )

    def __init__(self, step: Step) -> None:
        self.id = step.id
        self.cause = step.cause
        self.to: Pid = step.to
        self.sender: Pid = step.sender
        self.message: Any = step.message
        self.row = step.row
        self.from_node: int | None = None
        """The node that it was sent from, if that was another one."""
        self.node: int | None = None
        """The node that handled it."""
        self.posted: float | None = None
        """When the handler that sent it was over: not before that it can leave."""
        self.left: float | None = None
        self.arrived: float | None = None
        self.came: float | None = None
        self.begun: float | None = None
        self.ended: float | None = None
        self.dropped: str | None = None
        self.seconds: float | None = None
        """Of a timer: how long it was set for."""

    @property
    def kind(self) -> str:
        """The message's type."""
        return str(self.message[0])

    @property
    def start(self) -> float:
        """The earliest that is known of it."""
        times = (self.posted, self.left, self.came, self.begun)
        return next((time for time in times if time is not None), 0.0)

    @property
    def finish(self) -> float:
        """The latest that is known of it."""
        return next((time for time in (self.ended, self.begun, self.left, self.posted) if time is not None), 0.0)

    @property
    def out(self) -> float:
        """Seconds that it waited to leave its node."""
        return _between(self.posted, self.left)

    @property
    def wire(self) -> float:
        """Seconds between the nodes."""
        return _between(self.left, self.came)

    @property
    def queue(self) -> float:
        """Seconds that it waited for its actor's node to come to it."""
        if self.seconds is not None:
            return max(0.0, _between(self.posted, self.begun) - self.seconds)
        return _between(self.came, self.begun)

    @property
    def handling(self) -> float:
        """Seconds that its handler took."""
        return _between(self.begun, self.ended)

    @property
    def total(self) -> float:
        """Seconds from its sending to its being handled."""
        return max(0.0, self.finish - self.start)


def _between(start: float | None, end: float | None) -> float:
    return 0.0 if start is None or end is None else max(0.0, end - start)


class Gatherer:
    """Puts hops together while steps are read in order."""

    def __init__(self, busy: Busy | None) -> None:
        """Without `busy`, all that mail waits at a busy node's door counts as time on the wire."""
        self._busy = busy
        self._ended: dict[int, float] = {}
        self._underway: dict[int, Hop] = {}

    def hops(self, steps: Iterable[Step]) -> Iterator[Hop]:
        """Each hop as soon as it is over; at the end those that are not."""
        for step in steps:
            hop = self.take(step)
            if hop is not None:
                yield hop
        yield from self._underway.values()
        self._underway.clear()

    def take(self, step: Step) -> Hop | None:
        """A hop, if this was its last step."""
        if step.kind not in ("handled", "sent", "timer", "dropped"):
            return None
        if step.kind == "sent" and step.id in self._ended:
            return None  # its receiver was quicker to tell
        hop = self._underway.get(step.id) if step.id else None
        if hop is None:
            hop = Hop(step)
            hop.posted = step.time if step.kind == "timer" else self._ended.get(step.cause)
        match step.kind:
            case "timer":
                self._timer(hop, step)
                return None
            case "sent":
                return self._sent(hop, step)
            case "dropped":
                return self._dropped(hop, step)
        return self._handled(hop, step)

    def let_go(self, id_: int) -> Hop | None:
        """Do not wait for the end of a hop any more."""
        return self._underway.pop(id_, None)

    def forget(self) -> None:
        """Keep to a bound what is remembered: for those who never come to an end."""
        for remembered in (self._ended, self._underway):
            if len(remembered) > REMEMBERED_MAX:
                for id_ in list(islice(remembered, len(remembered) // 2)):
                    del remembered[id_]

    def _timer(self, hop: Hop, step: Step) -> None:
        hop.seconds = step.detail
        if step.id:
            self._underway[step.id] = hop

    def _sent(self, hop: Hop, step: Step) -> Hop | None:
        hop.from_node = step.node
        hop.left = step.end
        if hop.posted is None:
            hop.posted = step.time
        if not step.id:
            return hop
        self._underway[step.id] = hop
        return None

    def _dropped(self, hop: Hop, step: Step) -> Hop:
        hop.dropped = str(step.detail)
        self._underway.pop(step.id, None)
        return hop

    def _handled(self, hop: Hop, step: Step) -> Hop:
        hop.node = step.node
        hop.arrived, hop.begun, hop.ended = step.arrived, step.time, step.end
        if step.id:
            self._ended[step.id] = step.end
            self._underway.pop(step.id, None)
        if hop.left is not None:
            since = step.arrived if self._busy is None else self._busy.since(step.node, step.arrived)
            hop.came = min(step.arrived, max(hop.left, since))
        else:
            hop.came = step.arrived if hop.posted is None else hop.posted
        return hop
