"""The endpoints that every node with an HTTP door has: `/metrics`, `/metrics/snapshot` and `/__processes__`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from libprocess.http.exchange import HttpRequest, HttpResponse
from libprocess.pid import PID
from libprocess.process import Process

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_:]")


class MetricsProcess(Process):
    """Shows the node's metrics, to which it adds those of the runtime itself."""

    def initialize(self) -> None:
        """The first turn."""
        runtime = self._runtime
        self.metrics.gauge("runtime/actors", lambda: len(_actors(runtime)))
        self.metrics.gauge("runtime/actors_failed", lambda: len(runtime.failures))
        self.metrics.gauge("runtime/mail_dropped", runtime.drops.total)
        self.metrics.family("runtime/mail_dropped_for", lambda: runtime.drops)
        self.metrics.gauge("runtime/mail_waiting", lambda: runtime.mailbox_depths().total())
        self.route("/snapshot", self.snapshot)
        self.route("/", self.prometheus)

    def snapshot(self, request: HttpRequest) -> HttpResponse:
        """Every number by its name."""
        return HttpResponse.json(self.metrics.snapshot())

    def prometheus(self, request: HttpRequest) -> HttpResponse:
        """The same as Prometheus reads it; `master/cpus_used` is called `master_cpus_used` there."""
        numbers = sorted(self.metrics.snapshot().items())
        lines = (f"{_NOT_IN_A_NAME.sub('_', name)} {float(value)!r}\n" for name, value in numbers)
        return HttpResponse(200, "".join(lines).encode(), PROMETHEUS_TYPE)


class ProcessesProcess(Process):
    """Shows the node's actors, and how much mail waits for each."""

    def initialize(self) -> None:
        """The first turn."""
        self.route("/", self.processes)

    def processes(self, request: HttpRequest) -> HttpResponse:
        """One object per actor, by id in order."""
        depths = self._runtime.mailbox_depths()
        actors = sorted(_actors(self._runtime).items())
        return HttpResponse.json(
            [{"id": pid.id, "class": type(actor).__name__, "mailbox_depth": depths[pid]} for pid, actor in actors]
        )


def _actors(runtime: Runtime) -> dict[PID, Process]:
    """The actors of a node, without what waits for an answer to an ask."""
    return {pid: process for pid, process in runtime.processes.items() if isinstance(process, Process)}


BUILTIN: dict[str, type[Process]] = {"__processes__": ProcessesProcess, "metrics": MetricsProcess}


def spawn_builtin(runtime: Runtime) -> None:
    """Start those of the actors behind the built-in endpoints that do not run yet."""
    for id_, process in BUILTIN.items():
        if PID(id_, *runtime.address) not in runtime.processes:
            runtime.spawn(process(), id_)
