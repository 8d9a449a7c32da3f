"""The master's HTTP endpoints. `/x` and `/master/x` are the same; metrics have an actor of their own."""

from __future__ import annotations

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.gate import OPEN
from libprocess.pid import Address
from master.dialogues.base import Dialogue
from master.http.state import state, version
from master.http.summary import summary


class Endpoints(Dialogue):
    """What is read over HTTP."""

    web: Address

    def serve(self) -> None:
        """Answer from now on."""
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
        return HttpResponse.json(version())

    def _pid(self, request: HttpRequest) -> HttpResponse:
        """Where agents and schedulers that know only this port find the master itself."""
        return HttpResponse.json({"pid": str(self.pid)})

    def _redirect(self, request: HttpRequest) -> HttpResponse:
        """Where the leading master's page is."""
        return HttpResponse.redirect(f"//{self.info.hostname}:{self.info.port}")

    def _flags(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.json({"flags": self.flags.as_dict()})

    def _state(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.json(state(self.cluster, self.info, self.flags, self.started))

    def _summary(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.json(summary(self.cluster, self.info, self.flags.cluster))
