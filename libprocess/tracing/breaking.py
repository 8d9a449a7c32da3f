"""Breaking: mail that is lost, held back, delayed or doubled on a node that is there to be tested."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from libprocess.pid import PID, Address
from libprocess.ports import Envelope
from libprocess.tracing.messages import InterfereMessage
from libprocess.tracing.options import TRACE_ID

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

VERBS = ("expect", "drop", "hold", "delay", "duplicate")
LOST = "dropped by a filter"


@runtime_checkable
class Cuttable(Protocol):
    """A network whose links can be cut."""

    def cut(self, address: Address) -> None:
        """Let nothing through from or to that node."""

    def heal(self) -> None:
        """End all cuts."""


class Interference:
    """One filter, and what it did so far."""

    def __init__(self, number: int, wish: InterfereMessage) -> None:
        self.number = number
        self.wish = wish
        self.seen = 0
        self.held: list[Envelope] = []
        self._field, _, self._value = wish.field.partition("==")

    def catches(self, envelope: Envelope) -> bool:
        """Whether this mail is meant."""
        to, sender, message, _, _ = envelope
        wish = self.wish
        return (
            _fits(type(message).__name__, wish.kind)
            and _is_called(to, wish.to)
            and _is_called(sender, wish.sender)
            and (not self._field or any(str(value) == self._value for value in values_of(message, self._field)))
        )

    def __str__(self) -> str:
        wish = self.wish
        ends = f"from {wish.sender or 'anybody'} to {wish.to or 'anybody'}"
        where = f" where {wish.field}" if wish.field else ""
        later = f" by {wish.seconds:g} s" if wish.verb == "delay" else ""
        held = f", {len(self.held)} held" if wish.verb == "hold" else ""
        return f"{self.number}: {wish.verb}{later} {wish.kind or 'any message'} {ends}{where}: {self.seen} seen{held}"


class Breaker:
    """All interferences with one node. It is the node's interceptor from the first one on."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._interferences: dict[int, Interference] = {}
        self._released: dict[int, Envelope] = {}  # by identity: on its way a second time, and not to be caught again
        self._cuts: list[str] = []
        self._serial = 0

    def add(self, wish: InterfereMessage) -> None:
        """Begin. ValueError says what cannot be done."""
        if wish.verb not in VERBS:
            raise ValueError(f"expected one of {', '.join(VERBS)}; found {wish.verb!r}")
        if wish.field and "==" not in wish.field:
            raise ValueError(f"expected FIELD==VALUE, found {wish.field!r}")
        self._serial += 1
        self._interferences[self._serial] = Interference(self._serial, wish)
        self._runtime.interceptor = self._intercept

    def release(self, number: int, is_lost: bool) -> None:
        """End one, or all with 0; what it holds goes on in order, or is lost. ValueError if there is none."""
        if number and number not in self._interferences:
            raise ValueError(f"nothing has the number {number}")
        for ended in [number] if number else list(self._interferences):
            for envelope in self._interferences.pop(ended).held:
                if is_lost:
                    self._runtime.lost(envelope, LOST)
                else:
                    self._put_back(envelope)

    def cut(self, address: str) -> None:
        """Let nothing through from or to a node. ValueError if the address is none."""
        network = self._runtime.network
        if not isinstance(network, Cuttable):
            raise ValueError("this node's network cannot be cut from outside")
        network.cut(Address.parse(address))
        self._cuts.append(address)

    def heal(self) -> None:
        """End all cuts."""
        network = self._runtime.network
        if isinstance(network, Cuttable):
            network.heal()
        self._cuts.clear()

    def lines(self) -> Iterator[str]:
        """What is interfered with now."""
        yield from map(str, self._interferences.values())
        yield from (f"cut from {address}" for address in self._cuts)

    def _intercept(self, envelope: Envelope) -> bool:
        """See `ports.Interceptor`."""
        if self._released.pop(id(envelope), None) is not None or TRACE_ID in (envelope[0].id, envelope[1].id):
            return False
        return any(self._catch(each, envelope) for each in self._interferences.values() if each.catches(envelope))

    def _catch(self, interference: Interference, envelope: Envelope) -> bool:
        """True if the mail is taken away."""
        interference.seen += 1
        match interference.wish.verb:
            case "drop":
                self._runtime.lost(envelope, LOST)
            case "hold":
                interference.held.append(envelope)
            case "delay":
                self._runtime.clock.later(interference.wish.seconds, partial(self._put_back, envelope))
            case "duplicate":
                self._put_back((*envelope[:3], *envelope[3:]))
                return False
            case _:
                return False
        return True

    def _put_back(self, envelope: Envelope) -> None:
        self._released[id(envelope)] = envelope
        self._runtime.clock.soon(partial(self._runtime.deliver, [envelope]))


def values_of(struct: Any, name: str) -> Iterator[Any]:
    """The values of all fields of that name, in a message and in what it holds."""
    if isinstance(struct, tuple):
        for item in struct:
            yield from values_of(item, name)
    elif isinstance(struct, msgspec.Struct):
        for field in struct.__struct_fields__:
            value = getattr(struct, field)
            if field == name:
                yield value
            yield from values_of(value, name)


def _fits(text: str, pattern: str) -> bool:
    return not pattern or fnmatchcase(text, pattern)


def _is_called(pid: PID, pattern: str) -> bool:
    return _fits(str(pid) if "@" in pattern else pid.id, pattern)
