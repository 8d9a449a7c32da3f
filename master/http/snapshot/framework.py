"""One framework in a snapshot: what is shown of itself, and its lists."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from libprocess.http.exchange import to_json
from master.http.snapshot.roll import Roll
from master.http.snapshot.shapes import Shapes
from master.records import FrameworkRecord

SMALL_BYTES = 16 << 10
"""What is not larger is kept as one part."""


class FrameworkSnapshot:
    """A framework's JSON, in parts. After a change it has to be refreshed."""

    def __init__(self, record: FrameworkRecord, shapes: Shapes) -> None:
        self.record = record
        self._shapes = shapes
        self._head: bytes | None = None
        self._parts: list[bytes] | None = None
        self._lists = {name: Roll[Any](partial(self._encode, name)) for name in shapes.lists}

    def _encode(self, name: str, item: Any) -> bytes:
        return to_json(self._shapes.lists[name](self.record, item))

    def touch(self) -> None:
        """Something of itself has changed."""
        self._head = self._parts = None

    def listed(self, name: str, item: Any) -> None:
        """An item of a list is new, or has changed."""
        self._lists[name].touch(item)
        self._parts = None

    def unlisted(self, name: str, item: Any) -> None:
        """An item is not in a list any more."""
        self._lists[name].drop(item)
        self._parts = None

    def refresh(self, budget: int) -> int:
        """Encode what is due, and no more than so many pieces; returns how many are left of the budget."""
        if self._head is None and budget > 0:
            self._head = to_json(self._shapes.framework(self.record))
            budget -= 1
        for roll in self._lists.values():
            budget = roll.refresh(budget)
        return budget

    @property
    def is_fresh(self) -> bool:
        """Whether nothing is due."""
        return self._head is not None and all(roll.is_fresh for roll in self._lists.values())

    def parts(self) -> Sequence[bytes]:
        """All of it; it has to be fresh."""
        if self._parts is None:
            assert self._head is not None
            parts = [self._head[:-1]]
            for name, roll in self._lists.items():
                parts.append(f',"{name}":'.encode())
                parts.extend(roll.parts())
            parts.append(b"}")
            self._parts = [b"".join(parts)] if sum(map(len, parts)) <= SMALL_BYTES else parts
        return self._parts

    @property
    def head(self) -> bytes:
        """What is shown of itself; it has to be fresh."""
        assert self._head is not None
        return self._head

    def items(self, name: str) -> Roll[Any]:
        """One of its lists."""
        return self._lists[name]
