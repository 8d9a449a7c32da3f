"""Roll: the encoded items of a list, joined in blocks, so that little is joined anew when some of them change."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

BLOCK_ITEMS = 128

Item = TypeVar("Item", bound=Hashable)


class Block(Generic[Item]):
    """Neighbours in a list."""

    __slots__ = ("items", "joined")

    def __init__(self) -> None:
        self.items: dict[Item, bytes] = {}
        self.joined: bytes | None = None
        """All of them with a comma before each; None if that has to be made anew."""

    def text(self) -> bytes:
        """All its items, with a comma before each."""
        if self.joined is None:
            self.joined = b"," + b",".join(self.items.values())
        return self.joined


def joined(tails: Iterable[bytes]) -> Iterator[bytes]:
    """The JSON of a list whose items come with a comma before each, in parts."""
    opening = b"["
    for tail in tails:
        if opening:
            yield opening
        yield tail[1:] if opening else tail
        opening = b""
    yield opening + b"]"


class Roll(Generic[Item]):
    """A list in the order in which its items came. `encode` says what each looks like."""

    __slots__ = ("_blocks", "_due", "_encode", "_where")

    def __init__(self, encode: Callable[[Item], bytes]) -> None:
        self._encode = encode
        self._blocks: list[Block[Item]] = []
        self._where: dict[Item, Block[Item]] = {}
        self._due: dict[Item, None] = {}

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, item: Item) -> bool:
        return item in self._where

    def touch(self, item: Item) -> None:
        """It is new, or has changed."""
        self._due[item] = None
        if item not in self._where:
            if not self._blocks or len(self._blocks[-1].items) >= BLOCK_ITEMS:
                self._blocks.append(Block())
            block = self._where[item] = self._blocks[-1]
            block.items[item] = b""

    def drop(self, item: Item) -> None:
        """It is not in the list any more, if it was."""
        block = self._where.pop(item, None)
        if block is not None:
            del block.items[item]
            block.joined = None
            self._due.pop(item, None)

    def refresh(self, budget: int) -> int:
        """Encode what is due, and no more than so many items; returns how many are left of the budget."""
        for item in list(islice(self._due, budget)):
            del self._due[item]
            block = self._where[item]
            block.items[item] = self._encode(item)
            block.joined = None
            budget -= 1
        return budget

    @property
    def is_fresh(self) -> bool:
        """Whether nothing is due."""
        return not self._due

    def parts(self) -> Iterator[bytes]:
        """The list's JSON, in parts."""
        yield from joined(self.tail())

    def tail(self) -> Iterator[bytes]:
        """Its items, in parts, with a comma before each."""
        self._tidy()
        for block in self._blocks:
            yield block.text()

    def _tidy(self) -> None:
        """Put blocks that have lost most of their items together."""
        kept: list[Block[Item]] = []
        for block in self._blocks:
            if not block.items:
                continue
            if kept and len(kept[-1].items) + len(block.items) <= BLOCK_ITEMS:
                kept[-1].items |= block.items
                kept[-1].joined = None
                self._where.update(dict.fromkeys(block.items, kept[-1]))
            else:
                kept.append(block)
        self._blocks = kept
