"""Finding a master over HTTP: the address of its web port is all that an operator has to know."""

from __future__ import annotations

import asyncio
import os

import aiohttp
import msgspec

from libprocess.errors import OperatorError
from libprocess.http.tls import Tls, scheme
from libprocess.message import Message
from libprocess.pid import PID, Address
from libprocess.runtime import Runtime
from mesos.detector.messages import MasterFoundMessage, MasterNotFoundMessage
from mesos.types import MasterInfo

TIMEOUT_SECONDS = 5.0


class MasterNotFoundError(OperatorError):
    """Nobody who is a master answers at an address."""


class _Answer(msgspec.Struct):
    """What `GET /master/pid` says."""

    pid: str


async def find_master(address: Address) -> MasterInfo:
    """Ask the web server at this address for the master's PID.

    MasterNotFoundError says in one line why there is none; it takes five seconds at most.
    """
    tls = Tls.from_environment()
    context = tls.client() if tls is not None else True
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)) as session,
            session.get(f"{scheme(tls)}://{address}/master/pid", ssl=context) as response,
        ):
            status, body = response.status, await response.read()
    except (aiohttp.ClientError, OSError) as error:
        raise _not_found(address, f"nobody answers: {_plain(error)}") from None
    if status != 200:
        raise _not_found(address, f"who answers is no master: GET /master/pid gives {status}")
    try:
        return MasterInfo(id="", pid=_read(body), hostname=address.host, port=address.port)
    except ValueError as error:
        raise _not_found(address, f"who answers is no master: {error}") from None


class HttpMasterFinder:
    """The `MasterFinder` of real nodes. It works on the loop that its node runs on."""

    def __init__(self, runtime: Runtime, address: Address) -> None:
        self._runtime = runtime
        self._address = address
        self._searches: dict[PID, asyncio.Task[None]] = {}

    def find(self, asker: PID) -> None:
        """See `MasterFinder`. A search ends with who asked for it."""
        if asker not in self._searches:
            self._runtime.when_exited(asker, lambda _: self._stop(asker))
        self._searches[asker] = asyncio.get_running_loop().create_task(self._find(asker))

    def _stop(self, asker: PID) -> None:
        self._searches.pop(asker).cancel()

    async def _find(self, asker: PID) -> None:
        found: Message
        try:
            found = MasterFoundMessage(await find_master(self._address))
        except MasterNotFoundError as error:
            found = MasterNotFoundMessage(str(error))
        self._runtime.send(asker, found)


def _read(body: bytes) -> PID:
    return PID.parse(msgspec.json.decode(body, type=_Answer).pid)


def _not_found(address: Address, what: str) -> MasterNotFoundError:
    return MasterNotFoundError(f"expected a master at {address}, {what}")


def _plain(error: Exception) -> str:
    """The cause in words; libraries wrap it in names of their own."""
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS:g} s"
    cause = getattr(error, "os_error", error)
    if not isinstance(cause, OSError):
        return str(cause) or type(cause).__name__
    number = cause.errno or 0  # negative where it is no errno but a resolver's
    return (os.strerror(number) if number > 0 else cause.strerror or str(cause)).lower()
