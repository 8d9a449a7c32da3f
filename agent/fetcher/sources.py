"""Where files come from: one function for each scheme of a URI. Others may be plugged in.

A package that knows another scheme names its function, of the type `Source`, as an entry point of the group
`mesolite.fetchers`, called like the scheme.
"""

from __future__ import annotations

import asyncio
import ftplib
import logging
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias
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
    raise FetchError(f"{shown(uri)} cannot be fetched: nothing here knows {scheme}; known are {', '.join(_SOURCES)}")


def shown(uri: str) -> str:
    """A URI as it may stand in logs: without the password in it."""
    parts = urlsplit(uri)
    return (
        parts._replace(netloc=f"{parts.username}@{parts.netloc.rpartition('@')[2]}").geturl() if parts.password else uri
    )


async def copy(uri: str, target: Path, reader: Reader | None) -> None:
    """A file of this machine. An agent that root runs may read more than its reader, so another process reads it."""
    path = unquote(urlsplit(uri).path)
    rights: dict[str, Any] = {}
    if reader is not None:
        rights = {"user": reader.user, "group": reader.group, "extra_groups": reader.groups}
    with target.open("wb") as file:
        # asyncio's own way to start it does not know of users where the loop is uvloop's.
        process = subprocess.Popen(
            ["cat", "--", path], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, **rights
        )
    try:
        _, errors = await asyncio.to_thread(process.communicate)
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode:
        reason = errors.decode(errors="replace").strip().rpartition(": ")[2]
        raise FetchError(f"{path} cannot be copied: {reason}")


async def download(uri: str, target: Path, reader: Reader | None) -> None:
    """A file of a web server. What was got before the connection broke is not fetched again."""
    await _persist(uri, target, lambda: _download(uri, target))


async def retrieve(uri: str, target: Path, reader: Reader | None) -> None:
    """A file of an FTP server, which is taken up again where a connection broke, too."""
    await _persist(uri, target, lambda: asyncio.to_thread(_retrieve, uri, target))


async def _persist(uri: str, target: Path, attempt: Callable[[], Awaitable[None]]) -> None:
    for number in range(1, ATTEMPTS + 1):
        try:
            await attempt()
            return
        except (aiohttp.ClientError, TimeoutError, OSError, EOFError, ValueError, ftplib.Error) as error:
            text = f"{shown(uri)} cannot be fetched: {str(error) or 'the server says nothing'}"
            if number == ATTEMPTS or isinstance(error, ValueError | ftplib.error_perm):
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
            text = f"{shown(uri)} cannot be fetched: the server answers {response.status} {response.reason}"
            raise FetchError(text)
        with target.open("ab" if response.status == 206 else "wb") as file:
            progress = _Progress(uri, file, response.content_length)
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                progress.write(chunk)


def _retrieve(uri: str, target: Path) -> None:
    parts = urlsplit(uri)
    encrypted = parts.scheme.lower() == "ftps"
    client = ftplib.FTP_TLS(context=ssl.create_default_context()) if encrypted else ftplib.FTP()
    with client as server, target.open("ab") as file:
        server.connect(parts.hostname or "", parts.port or ftplib.FTP_PORT, timeout=STALL_SECONDS)
        server.login(unquote(parts.username or "anonymous"), unquote(parts.password or "anonymous@"))
        if isinstance(server, ftplib.FTP_TLS):
            server.prot_p()
        path = unquote(parts.path).removeprefix("/")
        server.retrbinary(f"RETR {path}", _Progress(uri, file).write, _CHUNK_BYTES, rest=_size(target) or None)


class _Progress:
    """Writes what comes, and tells in the log how far it is."""

    def __init__(self, uri: str, file: IO[bytes], expected: int | None = None) -> None:
        self._uri = shown(uri)
        self._file = file
        self._expected = expected
        self._got = self._told = 0

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._got += len(chunk)
        if self._got - self._told >= LOG_STEP_BYTES:
            self._told = self._got
            log.info("%s: %d of %s bytes", self._uri, self._got, self._expected or "unknown many")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


_SOURCES: dict[str, Source] = {"file": copy, "http": download, "https": download, "ftp": retrieve, "ftps": retrieve}
