"""The fetcher's cache: what several containers want is downloaded once, and what was used longest ago goes first."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from agent.fetcher.sources import shown

log = logging.getLogger("agent.fetcher")

Key = tuple[str, str]
"""A user and a URI: what one user may read, another may not."""


class Entry:
    """One file of the cache, which may still be on its way."""

    def __init__(self, path: Path, arrival: asyncio.Task[None]) -> None:
        self.path = path
        self.arrival = arrival
        self.users = 0
        """How many containers take it just now; it is not removed as long."""

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self.path.stat().st_size if self.path.exists() else 0


class Cache:
    """Files below a directory, which is emptied when the agent starts."""

    def __init__(self, directory: Path, bytes_max: int) -> None:
        self._directory = directory
        self.bytes_max = bytes_max
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        """The one that was used longest ago comes first."""
        self._serial = 0
        shutil.rmtree(directory, ignore_errors=True)

    @property
    def bytes_used(self) -> int:
        """How much there is."""
        return sum(entry.size for entry in self._entries.values())

    @asynccontextmanager
    async def file(self, key: Key, fetch: Callable[[Path], Awaitable[None]]) -> AsyncIterator[Path]:
        """The file of that key, kept for as long as the body lasts; `fetch` gets it if nobody did, and may raise."""
        entry = self._entries.get(key) or self._begin(key, fetch)
        self._entries.move_to_end(key)
        entry.users += 1
        try:
            await asyncio.shield(entry.arrival)
            yield entry.path
        finally:
            entry.users -= 1
            self._shrink()

    def _begin(self, key: Key, fetch: Callable[[Path], Awaitable[None]]) -> Entry:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._serial += 1
        path = self._directory / f"c{self._serial}"
        entry = self._entries[key] = Entry(path, asyncio.get_running_loop().create_task(self._arrive(key, path, fetch)))
        return entry

    async def _arrive(self, key: Key, path: Path, fetch: Callable[[Path], Awaitable[None]]) -> None:
        try:
            await fetch(path)
        except BaseException:
            self._entries.pop(key, None)
            path.unlink(missing_ok=True)
            raise

    def _shrink(self) -> None:
        """Remove what was used longest ago until the rest is small enough; what is in use stays."""
        too_much = self.bytes_used - self.bytes_max
        for key, entry in list(self._entries.items()):
            if too_much <= 0:
                return
            if entry.users == 0 and entry.arrival.done():
                too_much -= entry.size
                log.info("%s leaves the cache", shown(key[1]))
                entry.path.unlink(missing_ok=True)
                del self._entries[key]
