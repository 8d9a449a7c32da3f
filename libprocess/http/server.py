"""The HTTP door of a node: its routes on a socket, through aiohttp.

What comes in is bounded: bodies in size, and in the time they take. What goes out is compressed for whoever accepts it.
"""

from __future__ import annotations

import asyncio
import errno
import gzip
import hashlib
import logging
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web
from aiohttp.http import HttpProcessingError, HttpVersion11
from multidict import CIMultiDict

from libprocess.errors import OperatorError
from libprocess.http.builtin import spawn_builtin
from libprocess.http.exchange import JSON_TYPE, HttpRequest, HttpResponse
from libprocess.http.gate import Guard
from libprocess.http.gzipping import LEVEL
from libprocess.http.pieces import Packer, Pieces
from libprocess.http.routes import SAFE_METHODS
from libprocess.http.stream import HttpStream
from libprocess.http.tls import Tls, scheme
from libprocess.pid import PID, Address
from libprocess.version import VERSION

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

T = TypeVar("T")

BODY_BYTES_MAX = 8 << 20
BODY_TIMEOUT_SECONDS = 30.0
CLOSE_TIMEOUT_SECONDS = 2.0
"""How long requests at hand have to end when the server closes."""

IDLE_SECONDS = 60.0
"""How long a connection may be without a whole request: before the first one, and between two."""

STALL_SECONDS = 60.0
"""How long a client may take no more of a large body, before it is left."""

COMPRESS_BYTES_MIN = 1024
THREAD_BYTES_MIN = 32 << 10
_PEERS_FAULTS = (HttpProcessingError, web.RequestPayloadError, ConnectionError)
"""What aiohttp raises, and would log at length, when a peer sends nonsense or leaves in the middle."""

_CALLBACK = re.compile(r"[A-Za-z_$][\w$]{0,99}(\.[A-Za-z_$][\w$]{0,99}){0,5}", re.ASCII)

_REFUSES_GZIP = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)", re.IGNORECASE)


class HttpServer:
    """Serves the routes of a runtime; `root` is the id of the actor whose paths need no id in front.

    The `guard` says who gets through; without one everybody does. With `tls` it speaks HTTPS.

    It must live on the loop of the runtime's clock. Port 0 lets the system choose one; see `address`.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        root: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
        guard: Guard | None = None,
        tls: Tls | None = None,
    ) -> None:
        self._runtime = runtime
        self._host = host
        self._port = port
        self._tls = tls
        self._runner: web.ServerRunner | None = None
        self._streams: set[PID] = set()
        self._packer = Packer()
        self.address = Address(host, port)
        """Where it listens, known after `start`."""
        self._refused = runtime.metrics.counter("http/bad_requests")
        runtime.routes.root = root
        if guard is not None:
            runtime.routes.guard = guard

    async def start(self) -> None:
        """Listen, and serve. OperatorError says what is wrong with the address, or with certificates."""
        context = self._tls.server() if self._tls is not None else None
        server = web.Server(
            self._serve,
            request_factory=_bounded_request,
            access_log=None,
            logger=self._logger(),
            keepalive_timeout=IDLE_SECONDS,
            handler_cancellation=True,  # a client that leaves is noticed at once
        )
        self._runner = runner = web.ServerRunner(server, shutdown_timeout=CLOSE_TIMEOUT_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port, ssl_context=context).start()
        except OSError as error:
            await self.close()
            raise OperatorError(_cannot_listen(self._host, self._port, error)) from None
        self.address = Address(self._host, runner.addresses[0][1])
        spawn_builtin(self._runtime)

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"{scheme(self._tls)}://{self.address}"

    async def close(self) -> None:
        """Stop listening, and end every connection. Fine twice."""
        runner, self._runner = self._runner, None
        for stream in self._streams:
            self._runtime.terminate(stream)
        if runner is not None:
            await runner.cleanup()
        self._packer.close()

    def _logger(self) -> logging.Logger:
        """Where aiohttp reports what it cannot handle: our faults are logged, those of peers counted."""
        logger = logging.Logger("libprocess.http")
        logger.parent = logging.getLogger("libprocess")
        logger.addFilter(self._is_our_fault)
        return logger

    def _is_our_fault(self, record: logging.LogRecord) -> bool:
        is_ours = not (record.exc_info and isinstance(record.exc_info[1], _PEERS_FAULTS))
        self._refused.value += not is_ours
        return is_ours

    async def _serve(self, incoming: web.BaseRequest) -> web.StreamResponse:
        if _is_foreign(incoming):
            return _refusal(403, "403 Forbidden. A page of another origin may read what is public, and change nothing.")
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                body = await incoming.read()
        except TimeoutError:
            return _refusal(408, f"the body did not arrive within {BODY_TIMEOUT_SECONDS:g} s")
        except web.RequestPayloadError:
            return _refusal(400, "the body is not what its headers say")
        except web.HTTPRequestEntityTooLarge:
            return _refusal(413, f"expected a body of at most {BODY_BYTES_MAX} bytes")
        response = await self._runtime.routes.answer(_request(incoming, body))
        if response.stream is not None:
            return await self._go_on(incoming, response, response.stream)
        if "jsonp" in incoming.query:
            response = _called_back(incoming, response)
        if response.pieces is not None:
            return await self._piecemeal(incoming, response, response.pieces)
        return await _outgoing(response, incoming)

    async def _piecemeal(self, incoming: web.BaseRequest, response: HttpResponse, pieces: Pieces) -> web.StreamResponse:
        """Send a large body bit by bit, as its client takes it."""
        if pieces.tag in incoming.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers={"ETag": pieces.tag})
        outgoing = web.StreamResponse(status=response.status, headers=_headers(response))
        outgoing.headers["Vary"] = "Accept-Encoding"
        if _accepts_gzip(incoming):
            pieces = await self._packer.packed(pieces)
            outgoing.headers["Content-Encoding"] = "gzip"
            outgoing.headers["ETag"] = pieces.tag
        outgoing.content_length = pieces.size
        await outgoing.prepare(incoming)
        try:
            for part in pieces.parts if incoming.method != "HEAD" else ():
                async with asyncio.timeout(STALL_SECONDS):
                    await outgoing.write(part)
            await outgoing.write_eof()
        except TimeoutError:
            self._runtime.metrics.counter("http/streams_dropped").value += 1
            _Outlet(incoming).abort()
        return outgoing

    async def _go_on(self, incoming: web.BaseRequest, response: HttpResponse, pid: PID) -> web.StreamResponse:
        """Carry a stream to its client, until one of them ends."""
        stream = self._runtime.processes.get(pid)
        if not isinstance(stream, HttpStream):
            ended = HttpResponse.error(503, f"503 Service Unavailable. {pid.id} has ended.")
            return await _outgoing(ended, incoming)
        self._streams.add(pid)
        try:
            return await _carry(incoming, response, stream)
        finally:
            self._streams.discard(pid)
            self._runtime.terminate(pid)


def _bounded_request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """A request as aiohttp makes it, with our own bound for its body."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=BODY_BYTES_MAX)


def _request(incoming: web.BaseRequest, body: bytes) -> HttpRequest:
    return HttpRequest(
        method=incoming.method,
        path=incoming.path,
        query=tuple(incoming.query.items()),
        headers=tuple((name.lower(), value) for name, value in incoming.headers.items()),
        body=body,
    )


async def _carry(incoming: web.BaseRequest, response: HttpResponse, stream: HttpStream) -> web.StreamResponse:
    outgoing = web.StreamResponse(status=response.status, headers=_headers(response))
    if incoming.version >= HttpVersion11:
        outgoing.enable_chunked_encoding()
    outlet = _Outlet(incoming)
    stream.attach(outlet)
    await outgoing.prepare(incoming)
    while True:
        chunk = stream.take()
        if chunk is not None:
            await outgoing.write(chunk)
        elif stream.has_ended:
            return outgoing
        else:
            await outlet.wait()


class _Outlet:
    """A client's connection, as its stream sees it."""

    def __init__(self, incoming: web.BaseRequest) -> None:
        self._transport = incoming.transport
        self._event = asyncio.Event()

    def ready(self) -> None:
        self._event.set()

    def abort(self) -> None:
        """Closing is not enough: it would wait for a client that does not read."""
        if self._transport is not None:
            self._transport.abort()

    async def wait(self) -> None:
        await self._event.wait()
        self._event.clear()


def _headers(response: HttpResponse) -> CIMultiDict[str]:
    headers = CIMultiDict([*response.headers, ("Server", f"libprocess/{VERSION}")])
    if response.content_type:
        headers["Content-Type"] = response.content_type
    return headers


async def _outgoing(response: HttpResponse, incoming: web.BaseRequest) -> web.Response:
    """The response as it goes out; without its body if the client has that already."""
    headers, body = _headers(response), response.body
    if response.status == 200 and body and incoming.method in SAFE_METHODS:
        tag = headers["ETag"] if "ETag" in headers else await _off_loop(_tag, body)
        headers["ETag"] = tag
        if tag in incoming.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers={"ETag": tag})
    if len(body) >= COMPRESS_BYTES_MIN:
        headers["Vary"] = "Accept-Encoding"
        if _accepts_gzip(incoming):
            headers["Content-Encoding"] = "gzip"
            body = await _off_loop(_compress, body)
    return web.Response(status=response.status, body=body, headers=headers)


def _called_back(incoming: web.BaseRequest, response: HttpResponse) -> HttpResponse:
    """JSON as a script that hands it to a function of the page: for pages of others, and so only what all may see."""
    callback = incoming.query["jsonp"]
    if response.content_type != JSON_TYPE or response.status != 200 or incoming.method not in SAFE_METHODS:
        return response
    if not _CALLBACK.fullmatch(callback):
        return HttpResponse.error(400, "Expecting 'jsonp' to be the name of a function")
    is_a_strangers = incoming.headers.get("Sec-Fetch-Site") == "cross-site"  # browsers say so of https, and of loopback
    if "Authorization" in incoming.headers or is_a_strangers:
        return HttpResponse.error(403, "403 Forbidden. What is for some only is not shown to the pages of others.")
    body = response.pieces.whole() if response.pieces is not None else response.body
    headers = (("X-Content-Type-Options", "nosniff"),)
    return HttpResponse(200, b"%s(%s);" % (callback.encode(), body), "text/javascript", headers)


def _accepts_gzip(incoming: web.BaseRequest) -> bool:
    accepted = incoming.headers.get("Accept-Encoding", "")
    return "gzip" in accepted.lower() and not _REFUSES_GZIP.search(accepted)


async def _off_loop(work: Callable[[bytes], T], body: bytes) -> T:
    """A large state takes longer than a turn of the loop should; for a small one a thread does."""
    return work(body) if len(body) < THREAD_BYTES_MIN else await asyncio.to_thread(work, body)


def _tag(body: bytes) -> str:
    """What tells one body from another. It is weak, since a compressed one is the same to whoever reads it."""
    return f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def _compress(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)


def _is_foreign(incoming: web.BaseRequest) -> bool:
    """Whether a browser sends this for a page that somebody else serves, and wants more than to read."""
    origin = incoming.headers.get("Origin")
    return origin is not None and incoming.method not in SAFE_METHODS and origin.rpartition("://")[2] != incoming.host


def _refusal(status: int, text: str) -> web.Response:
    """An answer to what was not read to its end: nothing more is read from that connection."""
    refusal = HttpResponse.error(status, text)
    response = web.Response(status=status, body=refusal.body, headers={"Content-Type": refusal.content_type})
    response.force_close()
    return response


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken: another program listens there; end it, or choose another with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine; choose one of its own with --ip"
    if error.errno == errno.EACCES:
        return f"port {port} is for root alone; choose one from 1024 on with --port"
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return f"cannot listen on {host}:{port}: {reason}; choose another address with --ip and --port"
