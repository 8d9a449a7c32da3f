"""Where an operator says that masters are to be found: a web address, or where they meet in ZooKeeper."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TypeAlias

from libprocess.flags import Kind
from libprocess.pid import Address
from libprocess.runtime import Runtime
from mesos.detector.detector import MasterFinder
from mesos.detector.finder import HttpMasterFinder, MasterNotFoundError, find_master
from mesos.detector.zookeeper.finder import ZooKeeperFinder, find_in_zookeeper
from mesos.detector.zookeeper.url import SCHEME, ZooKeeperUrl, parse_zookeeper, without_credentials
from mesos.types import MasterInfo
from mesos.types.cluster import MASTER_PORT

FILE_SCHEME = "file://"
RETRY_SECONDS = 0.2
_PAGE = re.compile("^https?://")

MasterPlace: TypeAlias = Address | ZooKeeperUrl


def parse_master(text: str) -> MasterPlace:
    """Read where masters are: `host:port` of a web page (without a port, it is 5050) or its URL, a `zk://` URL, or
    `file://PATH`, a file with one of these.

    ValueError says what is wrong with anything else, without telling credentials.
    """
    if text.startswith(FILE_SCHEME):
        return parse_master(_read(text.removeprefix(FILE_SCHEME)))
    if text.startswith(SCHEME):
        return parse_zookeeper(text)
    place = _PAGE.sub("", text, count=1).rstrip("/")
    try:
        if not {"@", "/", ","}.isdisjoint(place):
            raise ValueError  # such as ZooKeeper servers or credentials without the scheme: no host is so called
        return Address.parse(place if ":" in place else f"{place}:{MASTER_PORT}")
    except ValueError:
        raise ValueError(
            f"expected a master's host:port such as 127.0.0.1:{MASTER_PORT}, or {SCHEME}host:port/path, "
            f"found {without_credentials(text)!r}"
        ) from None


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"expected a file with a master's address, found {path}: {reason}") from None


MASTER = Kind("HOST:PORT|zk://…", parse_master)
"""A flag that says where the master is found."""


def master_finder(runtime: Runtime, place: MasterPlace) -> MasterFinder:
    """What finds the master for the detectors of a node."""
    return ZooKeeperFinder(runtime, place) if isinstance(place, ZooKeeperUrl) else HttpMasterFinder(runtime, place)


async def require_master(place: MasterPlace, seconds: float) -> MasterInfo:
    """Find a master that may still be starting; the MasterNotFoundError after so many seconds says what to do."""
    try:
        if isinstance(place, ZooKeeperUrl):
            return await find_in_zookeeper(place, seconds)
        return await _find_patiently(place, seconds)
    except MasterNotFoundError as error:
        raise MasterNotFoundError(
            f"{error}; start one with mesos-master or mesos-local, or name another with --master"
        ) from None


async def _find_patiently(address: Address, seconds: float) -> MasterInfo:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        try:
            return await find_master(address)
        except MasterNotFoundError:
            if loop.time() > deadline:
                raise
        await asyncio.sleep(RETRY_SECONDS)
