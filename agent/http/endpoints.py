"""The agent's HTTP endpoints. `/x` and `/agent/x` are the same; metrics have an actor of their own."""

from __future__ import annotations

from agent.http.state import state, version
from agent.http.statistics import Statistics
from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.gate import OPEN
from libprocess.http.pages import web_page
from libprocess.http.routes import TEXT, TEXTS, tells


class Endpoints(Statistics):
    """What is read over HTTP."""

    def initialize(self) -> None:
        super().initialize()
        self._started = self.now
        self.route("/health", self._health, access=OPEN)
        self.route("/version", self._version, access=OPEN, about=tells(version=TEXT))
        page, file = web_page(("agent", "mesos"))
        self.route("/", page)
        self.route("/webui/*", file)
        self.route("/flags", self._flags, about=tells(flags=TEXTS))
        for path in ("/state", "/state.json"):
            self.route(path, self._state)

    def _health(self, request: HttpRequest) -> HttpResponse:
        """That it answers says that it is well."""
        return HttpResponse()

    def _version(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.json(version())

    def _flags(self, request: HttpRequest) -> HttpResponse:
        return self.forbidden(("view_flags", None)) or HttpResponse.json({"flags": self.flags.as_dict()})

    def _state(self, request: HttpRequest) -> HttpResponse:
        shown = state(self, self.seen, self._started)
        if self.forbidden(("view_flags", None)):
            del shown["flags"]
        return HttpResponse.json(shown)
