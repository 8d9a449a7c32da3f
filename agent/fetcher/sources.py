"""Where files come from: one function for each scheme of a URI. Others may be plugged in.

A package that knows another scheme names its function, of the type `Source`, as an entry point of the group
`mesolite.fetchers`, called like the scheme.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

import aiohttp

from agent.fetcher.errors import FetchError

log = logging.getLogger("agent.fetcher")

STALL_SECONDS = 60.0
"""A server that sends nothing for so long is given up."""

ATTEMPTS = 3
PLUGINS = "mesolite.fetchers"
LOG_STEP_BYTES = 64 << 20

_CHUNK_BYTES = 1 << 18


class Reader(NamedTuple):
    """The user for whom files are fetched, by ids."""

    user: int
    group: int
    groups: list[int]


Source: TypeAlias = Callable[[str, Path, Reader | None], Awaitable[None]]
"""Downloads a URI into a file, which may hold the beginning of it; FetchError says why that is not possible.

What this machine keeps from a reader, the source does, too.
"""


def source_of(uri: str) -> Source:
    """What downloads this URI; FetchError if nothing does."""
    scheme = urlsplit(uri).scheme.lower()
    if scheme in _SOURCES:
        return _SOURCES[scheme]
    for plugin in entry_points(group=PLUGINS, name=scheme):
        source: Source = plugin.load()
        return source
    raise FetchError(f"{uri} cannot be fetched: nothing here knows {scheme}; known are {', '.join(_SOURCES)}")


async def copy(uri: str, target: Path, reader: Reader | None) -> None:
    """A file of this machine. An agent that root runs may read more than its reader, so another process reads it."""
    path = unquote(urlsplit(uri).path)
    rights: dict[str, Any] = {}
    if reader is not None:
        rights = {"user": reader.user, "group": reader.group, "extra_groups": reader.groups}
    with target.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            "cat", "--", path, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, **rights
        )
        _, errors = await process.communicate()
    if process.returncode:
        reason = errors.decode(errors="replace").strip().rpartition(": ")[2]
        raise FetchError(f"{path} cannot be copied: {reason}")


async def download(uri: str, target: Path, reader: Reader | None) -> None:
    """A file of a web server. What was got before the connection broke is not fetched again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            await _download(uri, target)
            return
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            text = f"{uri} cannot be fetched: {str(error) or 'the server says nothing'}"
            if attempt == ATTEMPTS:
                raise FetchError(text) from None
            log.warning("%s; trying again from byte %d on", text, _size(target))


async def _download(uri: str, target: Path) -> None:
    have = _size(target)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=STALL_SECONDS, sock_read=STALL_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(uri, headers=headers) as response:
        if response.status == 416:  # nothing is left after what there is
            return
        if response.status not in (200, 206):
            raise FetchError(f"{uri} cannot be fetched: the server answers {response.status} {response.reason}")
        with target.open("ab" if response.status == 206 else "wb") as file:
            await _save(response, uri, file.write)


async def _save(response: aiohttp.ClientResponse, uri: str, write: Callable[[bytes], object]) -> None:
    got = logged = 0
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        write(chunk)
        got += len(chunk)
        if got - logged >= LOG_STEP_BYTES:
            logged = got
            log.info("%s: %d of %s bytes", uri, got, response.content_length or "unknown many")


async def retrieve(uri: str, target: Path, reader: Reader | None) -> None:
    """A file of an FTP server."""

    def fetch() -> None:
        with urllib.request.urlopen(uri, timeout=STALL_SECONDS) as response, target.open("wb") as file:
            shutil.copyfileobj(response, file)

    try:
        await asyncio.to_thread(fetch)
    except (urllib.error.URLError, OSError, EOFError) as error:
        raise FetchError(f"{uri} cannot be fetched: {getattr(error, 'reason', error)}") from None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


_SOURCES: dict[str, Source] = {"file": copy, "http": download, "https": download, "ftp": retrieve, "ftps": retrieve}
