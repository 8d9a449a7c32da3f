"""Large bodies in pieces, and how they are compressed: aside, one at a time, and once for all who ask meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from libprocess.http.gzipping import Gzipper

PART_BYTES = 16 << 10
"""Parts that are smaller are put together; larger ones stay what they are, and are not copied."""


class Pieces:
    """A body that shares its pieces with others, one of a `series` in which a later one is always as good.

    It is no copy and stays on its node: a recording shows its size instead.
    """

    __slots__ = ("parts", "series", "size", "tag")

    def __init__(self, parts: Iterable[bytes], series: str, tag: str) -> None:
        self.parts = list(_gathered(parts))
        self.series = series
        self.tag = tag
        """Its ETag."""
        self.size = sum(map(len, self.parts))

    def __repr__(self) -> str:
        return f"<{self.size} bytes of {self.series}>"

    def whole(self) -> bytes:
        """All of it, as a copy."""
        return b"".join(self.parts)


class Packer:
    """Compresses bodies. Of a series only one is compressed at a time; who comes meanwhile waits for the newest."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "packer")
        self._series: dict[str, _Series] = {}

    async def packed(self, pieces: Pieces) -> Pieces:
        """These or newer ones of their series, compressed."""
        series = self._series.setdefault(pieces.series, _Series())
        series.asked += 1
        mine, series.newest = series.asked, pieces
        while series.packed is None or (series.done < mine and series.packed.tag != pieces.tag):
            if series.work is None:
                series.work = asyncio.ensure_future(self._pack(series, series.asked, series.newest))
            await asyncio.shield(series.work)
        return series.packed

    async def _pack(self, series: _Series, number: int, pieces: Pieces) -> None:
        try:
            loop = asyncio.get_running_loop()
            packed = await loop.run_in_executor(self._thread, series.gzipper.gzip, pieces.parts)
            series.packed, series.done = Pieces(packed, pieces.series, pieces.tag), number
        finally:
            series.work = None

    def close(self) -> None:
        """Compress no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class _Series:
    def __init__(self) -> None:
        self.gzipper = Gzipper()
        self.asked = 0
        self.newest: Pieces
        self.work: asyncio.Future[None] | None = None
        self.packed: Pieces | None = None
        self.done = 0
        """How many had asked when what is `packed` was the newest."""


def _gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same text, in parts that are worth a call each."""
    small: list[bytes] = []
    size = 0
    for part in parts:
        if len(part) < PART_BYTES:
            small.append(part)
            size += len(part)
        if small and (size >= PART_BYTES or len(part) >= PART_BYTES):
            yield b"".join(small)
            small, size = [], 0
        if len(part) >= PART_BYTES:
            yield part
    if small:
        yield b"".join(small)
