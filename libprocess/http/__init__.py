"""HTTP endpoints of actors.

    class Master(Process):
        def initialize(self) -> None:
            self.route("/state", self.state)

        def state(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse.json({"tasks": len(self.tasks)})

A request is mail like any other: it waits its turn in the mailbox, the handler runs to completion, and traces and
filters see it. `libprocess.http.server` serves a node's routes on a socket; a test or a simulation calls
`runtime.routes.request` without one.
"""

from __future__ import annotations

from libprocess.http.exchange import HttpRequest, HttpRequestMessage, HttpResponse, HttpResponseMessage, Principal
from libprocess.http.routes import Routes

__all__ = ["HttpRequest", "HttpRequestMessage", "HttpResponse", "HttpResponseMessage", "Principal", "Routes"]
