"""The master's HTTP endpoints. `/x` and `/master/x` are the same; metrics have an actor of their own."""

from __future__ import annotations

from collections.abc import Callable

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.gate import OPEN
from libprocess.http.pages import web_page
from libprocess.http.routes import TEXT, TEXTS, tells
from libprocess.pid import Address
from master.flags import MasterFlags
from master.http import state
from master.http.reading import Reading
from master.http.sight import Sight
from master.http.snapshot.summary import SummarySnapshot, lists
from master.http.summary import summary, summary_head
from master.records import Cluster
from mesos.forms import Json
from mesos.types import MasterInfo


class Endpoints(Reading):
    """What is read over HTTP."""

    web: Address

    def serve(self) -> None:
        """See Reading."""
        super().serve()
        self.route("/health", self._health, access=OPEN)
        self.route("/version", self._version, access=OPEN, about=tells(version=TEXT))
        self.route("/pid", self._pid, access=OPEN, about=tells(pid=TEXT))
        self.route("/redirect", self._redirect, access=OPEN)
        page, file = web_page(("master", "mesos"))
        self.route("/", page)
        self.route("/webui/*", file)
        self.route("/flags", self._flags, about=tells(flags=TEXTS))
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
        return self.forbidden(("view_flags", None)) or HttpResponse.json({"flags": self.flags.as_dict()})

    @property
    def sight(self) -> Sight:
        """What whoever asks may see."""
        return Sight(self.flags.rights, self.asker)

    @property
    def seen(self) -> Cluster:
        """The cluster as whoever asks may see it."""
        return self.sight.of(self.cluster)

    def _state(self, request: HttpRequest) -> HttpResponse | None:
        seen, shows_flags = self.seen, self.forbidden(("view_flags", None)) is None

        def shown(form: Callable[[Cluster, MasterInfo, MasterFlags, float], Json]) -> Json:
            whole = form(seen, self.info, self.flags, self.started)
            return whole if shows_flags else {name: value for name, value in whole.items() if name != "flags"}

        if seen is not self.cluster:
            return HttpResponse.json(shown(state.state))
        return self.read("state", request, state.SHAPES, lambda: shown(state.head), state.lists)

    def _summary(self, request: HttpRequest) -> HttpResponse | None:
        if self.seen is not self.cluster:
            return HttpResponse.json(summary(self.seen, self.info, self.flags.cluster))

        def head() -> Json:
            return summary_head(self.info, self.flags.cluster)

        return self.read("summary", request, SummarySnapshot, head, lists)
