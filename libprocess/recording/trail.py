"""Trails: what led to what, found out afterwards for mail that was not numbered while it was handled.

A node that keeps a trail leaves its mail as it is. It notes when handling one piece put others into the queue, and
which mail left or came in one frame; so each piece is known by its place, or by its place in a frame, which both ends
know. Of mail that came, the frame is kept and read again: it takes less room than what became of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from libprocess.lifecycle import STRUCK, End, Start, Struck
from libprocess.ports import Envelope, Frame, Trail
from libprocess.recording.tracer import Record

LEFT = "left"
"""The kind of a record that is never written: mail that left together, and the id of the first."""

_Ids = tuple[int, int]


def without_frames(mail: list[Envelope], trail: Trail) -> list[Envelope]:
    """A turn's mail without what is in the trail's frames."""
    if not trail.frames:
        return mail
    first = trail.base + trail.offset
    kept: list[Envelope] = []
    done = 0
    for start, count, _ in trail.frames:
        kept += mail[done : max(start - first, 0)]
        done = max(start + count - first, 0)
    return kept + mail[done:]


def resolved(records: Iterable[Record]) -> Iterator[Record]:
    """The records of a node in order, turns with their trails and what left among them, as a recording has them."""
    records = list(records)
    walk = _Walk(records)
    for record in records:
        kind = record[0]
        if kind == "turn":
            *told, trail = record
            told[3] = walk.mail(told[3], trail) if trail else told[3]
            yield tuple(told)
        elif kind == "timer":
            yield (*record[:3], walk.timer(record[3]), record[4])
        elif kind == "dropped":
            yield (*record[:3], walk.dropped(record[3]), record[4])
        elif kind != LEFT:
            yield record


class _Walk:
    """Goes through a node's mail in order. What left is known by identity: its envelopes are those of the turns."""

    def __init__(self, records: list[Record]) -> None:
        left = [record for record in records if record[0] == LEFT]
        self._left = {
            id(envelope): id_ for _, _, _, mail, first_id in left for id_, envelope in enumerate(mail, first_id)
        }
        self._causes: dict[int, int] = {}  # a place in the queue → the place of what put it there
        self._ids: dict[int, int] = {}  # a place → the id of the message there, or of what led to a marker there
        self._aliases: dict[int, int] = {}  # the id that a place stands for → the one that the message has elsewhere
        self._found: dict[int, _Ids] = {}  # an envelope that was handled, or sent → its ids
        self._struck: _Ids = (0, 0)
        self._frame: Frame | None = None
        self._frame_mail: list[Envelope] = []  # of that frame, which several turns may have a part of

    def mail(self, kept: list[Envelope], trail: Trail) -> list[Envelope]:
        """A turn's mail with its ids and causes."""
        for start, stop, rest in trail.sends:
            cause = trail.base + stop - rest - 1
            self._causes.update((place, cause) for place in range(trail.base + start, trail.base + stop))
        first = trail.base + trail.offset
        struck = set(trail.struck)
        return [
            self._name(envelope, place, trail.id + place - first, place in struck)
            for place, envelope in enumerate(self._whole(kept, trail, first), first)
        ]

    def _whole(self, kept: list[Envelope], trail: Trail, first: int) -> list[Envelope]:
        """A turn's mail, with what came in frames where it was."""
        mail: list[Envelope] = []
        rest = iter(kept)
        for start, count, frame in trail.frames:
            while len(mail) < start - first:
                mail.append(next(rest))
            begin = first + len(mail) - start
            mail += self._read(frame, count)[begin : begin + trail.length - len(mail)]
        return [*mail, *rest]

    def _read(self, frame: Frame, count: int) -> list[Envelope]:
        if frame is not self._frame:
            self._frame, self._frame_mail = frame, frame.mail()
        # Messages that are known by now, and were not when they came, would only confuse.
        return self._frame_mail if len(self._frame_mail) == count else [_UNKNOWN] * count

    def _name(self, envelope: Envelope, place: int, id_: int, is_struck: bool) -> Envelope:
        to, sender, content, own, cause = envelope
        cause = self._aliases.get(cause, cause) or self._ids.get(self._causes.pop(place, -1), 0)
        if isinstance(content, Start | End | Struck):
            self._ids[place] = own or cause  # what it leads to is due to what led to it
            return envelope
        known = own or self._left.get(id(envelope), id_)
        if known != id_:
            self._aliases[id_] = known
        self._ids[place] = known
        self._found[id(envelope)] = known, cause
        if is_struck:
            self._struck = known, cause
            return to, sender, STRUCK, known, cause  # type: ignore[return-value]
        return to, sender, content, known, cause

    def timer(self, envelope: Envelope) -> Envelope:
        """The mail of a timer: it has ids, but what led to it may go by another one."""
        to, sender, message, id_, cause = envelope
        return to, sender, message, id_, self._aliases.get(cause, cause)

    def dropped(self, envelope: Envelope) -> Envelope:
        """Mail that was lost: on its way out, or just before, in place of what was struck out of the turn."""
        to, sender, message, own, cause = envelope
        if own:
            return to, sender, message, own, self._aliases.get(cause, cause)
        ids = self._found.get(id(envelope))
        if ids is None:
            ids, self._struck = self._struck, (0, 0)
        return to, sender, message, self._left.get(id(envelope), ids[0]), ids[1]


_UNKNOWN: Any = ("", "", STRUCK, 0, 0)
