"""Fetching all that one container asks for: each file from its source or the cache, checked, placed, extracted."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from agent.fetcher.archives import extract, is_archive
from agent.fetcher.cache import Cache
from agent.fetcher.errors import FetchError
from agent.fetcher.sources import Reader, shown, source_of
from libprocess.metrics import Metrics
from mesos.types import URI

log = logging.getLogger("agent.fetcher")

SHA256 = "sha256:"


@dataclass(frozen=True)
class Order:
    """A file to fetch, understood."""

    uri: str
    """Without its fragment, and with a scheme."""
    name: str
    """Where it goes in the sandbox."""
    digest: str
    """What its SHA-256 must be, as hexadecimal digits; empty for anything."""
    wanted: URI


class Fetcher:
    """Fetches files into sandboxes. A URI may end in `#sha256:` and the checksum that its file must have."""

    def __init__(self, cache: Cache, frameworks_home: str, metrics: Metrics) -> None:
        self._cache = cache
        self._frameworks_home = frameworks_home
        self._succeeded = metrics.counter("containerizer/fetcher/task_fetches_succeeded")
        self._failed = metrics.counter("containerizer/fetcher/task_fetches_failed")
        metrics.gauge("containerizer/fetcher/cache_size_total_bytes", lambda: cache.bytes_max)
        metrics.gauge("containerizer/fetcher/cache_size_used_bytes", lambda: cache.bytes_used)

    async def fetch(self, uris: tuple[URI, ...], directory: str, reader: Reader | None) -> None:
        """Bring files into a sandbox, one after another; they belong to the reader, if there is one.

        FetchError says what is wrong with one of them.
        """
        sandbox = Path(directory)
        try:
            for uri in uris:
                await self._fetch(self._understand(uri), sandbox, reader)
            if reader is not None:
                await asyncio.to_thread(_give, sandbox, reader)
        except BaseException:
            self._failed.value += 1
            raise
        self._succeeded.value += 1

    def _understand(self, wanted: URI) -> Order:
        value, _, fragment = wanted.value.partition("#")
        if not urlsplit(value).scheme:
            value = f"file://{self._absolute(value)}"
        name = wanted.output_file or unquote(os.path.basename(urlsplit(value).path))
        if not name or "\0" in name or os.path.isabs(name) or ".." in Path(name).parts:
            raise FetchError(f"{shown(wanted.value)!r} would go to {name!r}; expected a path inside the sandbox")
        if fragment and not fragment.startswith(SHA256):
            raise FetchError(f"{shown(wanted.value)!r}: expected #sha256:… after the URI, found {fragment!r}")
        return Order(value, name, fragment.removeprefix(SHA256).lower(), wanted)

    def _absolute(self, path: str) -> str:
        if os.path.isabs(path):
            return path
        if not self._frameworks_home:
            raise FetchError(f"{path!r} is relative, and the agent has no --frameworks_home that it would be below")
        return f"{self._frameworks_home}/{path}"

    async def _fetch(self, order: Order, sandbox: Path, reader: Reader | None) -> None:
        log.info("fetching %s into %s", shown(order.uri), sandbox)
        target = sandbox / order.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # of what came before: its content is not the beginning of this one's
        if order.wanted.cache:
            try:
                await self._fetch_through_cache(order, target, reader)
                return
            except OSError as error:  # no task fails because of a cache
                log.warning("%s goes past the cache: %s", shown(order.uri), error)
        await self._get(order, target, reader)
        await asyncio.to_thread(_place, order, target, target)

    async def _fetch_through_cache(self, order: Order, target: Path, reader: Reader | None) -> None:
        key = ("" if reader is None else str(reader.user), order.wanted.value)
        async with self._cache.file(key, lambda path: self._get(order, path, reader)) as path:
            await asyncio.to_thread(_place, order, path, target)

    async def _get(self, order: Order, path: Path, reader: Reader | None) -> None:
        await source_of(order.uri)(order.uri, path, reader)
        if order.digest:
            await asyncio.to_thread(_check, order, path)


def _check(order: Order, path: Path) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != order.digest:
        path.unlink()
        raise FetchError(f"{shown(order.uri)} has the checksum {found}, expected {order.digest}")


def _place(order: Order, source: Path, target: Path) -> None:
    """Put what was fetched where it belongs: extracted, executable, or as it is."""
    is_executable = order.wanted.executable
    if order.wanted.extract and not is_executable and is_archive(order.name):
        extract(source, target.name, target.parent)
        return
    if source != target:
        shutil.copyfile(source, target)
    if is_executable:
        target.chmod(target.stat().st_mode | 0o111)


def _give(sandbox: Path, reader: Reader) -> None:
    """Let everything in a sandbox belong to its user."""
    for directory, directories, files in os.walk(sandbox):
        for name in (*directories, *files):
            os.chown(os.path.join(directory, name), reader.user, reader.group, follow_symlinks=False)
