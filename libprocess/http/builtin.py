"""The endpoints that every node with an HTTP door has: `/metrics`, `/__processes__`, `/system/stats.json` and more."""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING

import psutil

from libprocess.http.exchange import HttpRequest, HttpResponse
from libprocess.http.help import HelpProcess
from libprocess.http.openapi import OpenApiProcess
from libprocess.http.routes import JSON, About
from libprocess.http.verbosity import LOGGING, LoggingProcess
from libprocess.pid import PID
from libprocess.process import Process
from libprocess.units import parse_duration

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
        numbers = {"type": "object", "additionalProperties": {"type": "number"}}
        asked = {"timeout": "how long to wait for numbers, such as 5secs"}
        self.route("/snapshot", self.snapshot, about=About(asked, answer={JSON: numbers}))
        self.route("/", self.prometheus)

    def snapshot(self, request: HttpRequest) -> HttpResponse:
        """Every number by its name. No number takes time to find, so a `timeout` is never over."""
        try:
            parse_duration(request.argument("timeout", "1secs"))
        except ValueError as error:
            return HttpResponse.error(400, f"Invalid 'timeout': {error}")
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


class SystemProcess(Process):
    """Shows the machine."""

    def initialize(self) -> None:
        """The first turn."""
        for index, period in enumerate(("1min", "5min", "15min")):
            self.metrics.gauge(f"system/load_{period}", partial(lambda index: os.getloadavg()[index], index))
        self.metrics.gauge("system/cpus_total", lambda: os.cpu_count() or 1)
        self.metrics.gauge("system/mem_total_bytes", lambda: psutil.virtual_memory().total)
        self.metrics.gauge("system/mem_free_bytes", lambda: psutil.virtual_memory().free)
        for path in ("/stats", "/stats.json"):
            self.route(path, self.stats)

    def stats(self, request: HttpRequest) -> HttpResponse:
        """Its load, processors and memory."""
        memory = psutil.virtual_memory()
        loads = dict(zip(("1min", "5min", "15min"), os.getloadavg(), strict=True))
        return HttpResponse.json(
            {
                **{f"avg_load_{period}": load for period, load in loads.items()},
                "cpus_total": os.cpu_count() or 1,
                "mem_total_bytes": memory.total,
                "mem_free_bytes": memory.free,
            }
        )


def _actors(runtime: Runtime) -> dict[PID, Process]:
    """The actors of a node, without what waits for an answer to an ask."""
    return {pid: process for pid, process in runtime.processes.items() if isinstance(process, Process)}


BUILTIN: dict[str, type[Process]] = {
    "__processes__": ProcessesProcess,
    "help": HelpProcess,
    LOGGING: LoggingProcess,
    "metrics": MetricsProcess,
    "openapi.json": OpenApiProcess,
    "system": SystemProcess,
}


def spawn_builtin(runtime: Runtime) -> None:
    """Start those of the actors behind the built-in endpoints that do not run yet."""
    for id_, process in BUILTIN.items():
        if PID(id_, *runtime.address) not in runtime.processes:
            runtime.spawn(process(), id_)
