"""The master's HTTP endpoints. `/x` and `/master/x` are the same; metrics have an actor of their own."""

from __future__ import annotations

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.gate import OPEN
from libprocess.pid import Address
from master.http import state
from master.http.reading import Reading
from master.http.summary import summary
from mesos.forms import Json


class Endpoints(Reading):
    """What is read over HTTP."""

    web: Address

    def serve(self) -> None:
        """See Reading."""
        super().serve()
        self.route("/health", self._health, access=OPEN)
        self.route("/version", self._version, access=OPEN)
        self.route("/pid", self._pid, access=OPEN)
        self.route("/redirect", self._redirect, access=OPEN)
        self.route("/flags", self._flags)
        self.route("/state", self._state)
        self.route("/state-summary", self._summary)

    def _health(self, request: HttpRequest) -> HttpResponse:
        """That it answers says that it is well."""
        return HttpResponse()

    def _version(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.json(state.version())

    def _pid(self, request: HttpRequest) -> HttpResponse:
        """Where agents and schedulers that know only this port find the master itself."""
        return HttpResponse.json({"pid": str(self.pid)})

    def _redirect(self, request: HttpRequest) -> HttpResponse:
        """Where the leading master's page is."""
        return HttpResponse.redirect(f"//{self.info.hostname}:{self.info.port}")

    def _flags(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.json({"flags": self.flags.as_dict()})

    def _state(self, request: HttpRequest) -> HttpResponse | None:
        def head() -> Json:
            return state.head(self.cluster, self.info, self.flags, self.started)

        return self.read(request, state.SHAPES, head, state.lists)

    def _summary(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.json(summary(self.cluster, self.info, self.flags.cluster))
