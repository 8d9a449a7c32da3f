"""Routes: which actor of a node answers which path, and how a request gets there and its answer back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from libprocess.http.exchange import HttpRequest, HttpRequestMessage, HttpResponse, HttpResponseMessage
from libprocess.http.gate import READ, WRITE, Gate, Guard
from libprocess.message import Message
from libprocess.pid import PID

if TYPE_CHECKING:
    from libprocess.process import Process
    from libprocess.runtime import Runtime

log = logging.getLogger("libprocess")

ANSWER_TIMEOUT_SECONDS = 30.0
"""How long an actor has for its answer: its queue included, and what it asks others."""

SAFE_METHODS = ("GET", "HEAD")

RouteHandler = Callable[[HttpRequest], HttpResponse | None]


@dataclass(frozen=True)
class About:
    """What a route takes and gives, for its description."""

    query: Mapping[str, str] = field(default_factory=dict)
    """The arguments that it knows, and what each says."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """By media type, the schema of a body."""
    answer: Mapping[str, Any] = field(default_factory=dict)
    """By media type, the schema of what it answers when all is well."""
    schemas: Mapping[str, Any] = field(default_factory=dict)
    """Schemas that those refer to."""
    below: bool = True
    """Whether what stands in the place of a `*` says anything."""


NOTHING_SAID = About()
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

TEXT = {"type": "string"}
TEXTS = {"type": "object", "additionalProperties": TEXT}
"""Schemas: a text, and texts by name."""


def form(**fields: str) -> About:
    """What a route takes whose body is a form, with all of these fields."""
    properties = {name: {"type": "string", "description": text} for name, text in fields.items()}
    return About(body={FORM: {"type": "object", "properties": properties, "required": list(fields)}})


def tells(**fields: Any) -> About:
    """What a route gives whose answer is an object with all of these fields, each of such a schema."""
    return About(answer={JSON: {"type": "object", "properties": fields, "required": list(fields)}})


class Route(NamedTuple):
    """One path of an actor."""

    handler: RouteHandler
    methods: tuple[str, ...]
    access: str
    """What a guard distinguishes."""
    about: About | Callable[[], About] = NOTHING_SAID

    def told(self) -> About:
        """What it takes, as far as it says so."""
        return self.about() if callable(self.about) else self.about


class Match(NamedTuple):
    """The route that a path leads to; `below` is what its `*` stands for."""

    pid: PID
    path: str
    route: Route
    below: str


class Routes:
    """The HTTP paths of one node.

    An actor's route is served at `/<id><path>`; that of the actor whose id is `root` at `<path>`, too.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.root = ""
        self.guard: Guard = Gate()
        """Who gets through; unless told otherwise, everybody."""
        self._runtime = runtime
        self._routes: dict[str, dict[str, Route]] = {}

    def add(
        self,
        pid: PID,
        path: str,
        handler: RouteHandler,
        methods: Sequence[str] = ("GET",),
        access: str = "",
        about: About | Callable[[], About] | None = None,
    ) -> None:
        """Serve a path of an actor; see `Process.route`. ValueError if it has that path already."""
        if not path.startswith("/") or "*" in path.removesuffix("/*"):
            raise ValueError(f"expected a path such as /state or /jobs/*, found {path!r}")
        routes = self._routes.setdefault(pid.id, {})
        if _plain(path) in routes:
            raise ValueError(f"{pid.id} has the route {path} already")
        access = access or (READ if set(methods) <= {"GET"} else WRITE)
        methods = (*methods, "HEAD") if "GET" in methods else tuple(methods)
        routes[_plain(path)] = Route(handler, methods, access, about or NOTHING_SAID)

    def all(self) -> dict[str, Route]:
        """Every route by its path, with its actor's id in front."""
        return {f"/{id_}{path}": route for id_, routes in self._routes.items() for path, route in routes.items()}

    def remove(self, pid: PID) -> None:
        """Forget the routes of an actor that ended."""
        self._routes.pop(pid.id, None)

    def find(self, path: str) -> Match | None:
        """Where a path leads: a trailing slash means nothing, and the longest match wins."""
        path = _plain(path)
        id_, _, rest = path[1:].partition("/")
        return self._find(id_, _plain(f"/{rest}")) or self._find(self.root, path)

    def _find(self, id_: str, path: str) -> Match | None:
        routes = self._routes.get(id_, {})
        pid = PID(id_, *self._runtime.address)
        if path in routes:
            return Match(pid, path, routes[path], "")
        parts = path[1:].split("/")
        for count in range(len(parts), -1, -1):
            pattern = "/".join(["", *parts[:count], "*"])
            if pattern in routes:
                return Match(pid, pattern, routes[pattern], "/".join(parts[count:]))
        return None

    def request(self, request: HttpRequest, answered: Callable[[HttpResponse], None]) -> None:
        """Have a request answered by its actor, and call back once. Every failure is a response, too."""
        match = self.find(request.path)
        if match is None:
            answered(HttpResponse.error(404))
        elif request.method not in match.route.methods:
            answered(_not_allowed(request.method, match.route.methods))
        else:
            admitted = self.guard.admit(request, match.route.access, self._names(request.path, match))
            if isinstance(admitted, HttpResponse):
                answered(admitted)
            else:
                self._hand_over(admitted, match, answered)

    def _names(self, path: str, match: Match) -> list[str]:
        """A path as it was asked for, and what else its route is called."""
        id_ = match.pid.id
        return [path, f"/{id_}{match.path}", *([match.path] if id_ == self.root else [])]

    def _hand_over(self, request: HttpRequest, match: Match, answered: Callable[[HttpResponse], None]) -> None:
        mail = HttpRequestMessage(msgspec.structs.replace(request, below=match.below), match.path)
        self._runtime.asks.ask(match.pid, mail, ANSWER_TIMEOUT_SECONDS, lambda outcome: answered(_response(outcome)))
        self._runtime._wake()

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Have a request answered by its actor. Every failure is a response, too."""
        future: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()

        def answered(response: HttpResponse) -> None:
            if not future.done():
                future.set_result(response)
            elif response.stream is not None:
                self._runtime.terminate(response.stream)  # whoever asked has left

        self.request(request, answered)
        return await future

    def handle(self, process: Process, message: HttpRequestMessage) -> None:
        """The actor's turn."""
        runtime = self._runtime
        if process.sender.address != runtime.address:
            runtime._drop_current("HTTP requests are taken from this node's own door only")
            return
        route = self._routes.get(process.pid.id, {}).get(message.route)
        response = HttpResponse.error(404) if route is None else _handled(process, route.handler, message.request)
        if response is not None:
            process.reply(HttpResponseMessage(response))


def _plain(path: str) -> str:
    return "/" + path.strip("/")


def _not_allowed(method: str, methods: tuple[str, ...]) -> HttpResponse:
    expected = ", ".join(f"'{method}'" for method in methods)
    text = f"405 Method Not Allowed. Expecting one of {{ {expected} }}, but received '{method}'."
    return HttpResponse.error(405, text, (("Allow", ", ".join(methods)),))


def _response(outcome: Message | Exception) -> HttpResponse:
    """What the door makes of an actor's answer, or of why there is none."""
    if isinstance(outcome, HttpResponseMessage):
        return outcome.response
    if isinstance(outcome, Exception):
        return HttpResponse.error(503, f"503 Service Unavailable. {outcome}.")
    return HttpResponse.error(500, f"500 Internal Server Error. The answer was a {type(outcome).__name__}.")


def _handled(process: Process, handler: RouteHandler, request: HttpRequest) -> HttpResponse | None:
    """What a handler says. To fail on a safe method breaks nothing but the answer; on any other it ends the actor."""
    try:
        return handler(request)
    except Exception:
        failure = HttpResponse.error(500, f"500 Internal Server Error. {process.pid.id} failed on {request.path}.")
        if request.method not in SAFE_METHODS:
            process.reply(HttpResponseMessage(failure))
            raise
        log.exception("%s failed on %s %s", process.pid, request.method, request.path)
        return failure
