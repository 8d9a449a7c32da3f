"""What containers use, over HTTP: /monitor/statistics and /containers, with a short history at /monitor/history."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from agent.dialogues.recovery import Recovery
from agent.http.sight import Sight
from agent.ports import Usage, UsageMessage
from agent.records.executor import ExecutorRecord
from agent.records.framework import Frameworks
from libprocess.http import HttpRequest, HttpResponse, HttpResponseMessage
from libprocess.message import Message
from libprocess.pid import PID
from mesos.forms import Json
from mesos.ids import ContainerID

MEASURE_SECONDS = 15.0
HISTORY = 40
"""How many measurements of each container are kept: ten minutes' worth."""


SUMMED = (
    "cpus_user_time_secs",
    "cpus_system_time_secs",
    "cpus_throttled_time_secs",
    "disk_used_bytes",
    "mem_rss_bytes",
    "mem_total_bytes",
    "net_rx_bytes",
    "net_tx_bytes",
    "processes",
)
"""Of these the sum over all containers is a metric."""


Measured = Sequence[tuple[ExecutorRecord, Usage]]
Answer = Callable[[Measured], HttpResponse]


class MeasureContainersMessage(Message, frozen=True):
    """Agent → itself, every so often: see what its containers use."""


class Statistics(Recovery):
    """Measures containers, when somebody asks and every so often."""

    def initialize(self) -> None:
        super().initialize()
        self._askers: list[tuple[PID, Answer]] = []
        self._is_measuring = False
        self._history: dict[ContainerID, deque[Usage]] = {}
        for path in ("/monitor/statistics", "/monitor/statistics.json", "/containers"):
            self.route(path, self._measure_for)
        self.route("/monitor/history", self._show_history)
        for name in SUMMED:
            self.metrics.gauge(f"slave/containers_{name}", partial(self._sum, name))
        self.delay(MEASURE_SECONDS, MeasureContainersMessage())

    @property
    def sight(self) -> Sight:
        """What whoever asks may see."""
        return Sight(self.flags.rights, self.asker)

    @property
    def seen(self) -> Frameworks:
        """The frameworks here as whoever asks may see them."""
        return self.sight.of(self.frameworks)

    def measure_containers(self, message: MeasureContainersMessage) -> None:
        self._measure()
        self.delay(MEASURE_SECONDS, MeasureContainersMessage())

    def _measure_for(self, request: HttpRequest) -> None:
        """What containers use; the answer comes when all are measured."""
        with_container, sight = request.path.rstrip("/").endswith("/containers"), self.sight
        self.when_measured(
            lambda found: HttpResponse.json(
                [_form(*each, with_container) for each in found if sight.container(each[0])]
            )
        )

    def when_measured(self, answer: Answer) -> None:
        """Answer whoever sent the mail at hand as soon as all containers are measured."""
        self._askers.append((self.sender, answer))
        self._measure()

    def _measure(self) -> None:
        if not self._is_measuring:  # who asks meanwhile gets the same numbers
            self._is_measuring = True
            self.containerizer.usage(self.pid)

    def usage(self, message: UsageMessage) -> None:
        self._is_measuring = False
        measured = {usage.container_id: usage for usage in message.usages}
        self._history = {id_: self._history.get(id_, deque(maxlen=HISTORY)) for id_ in measured}
        for id_, usage in measured.items():
            self._history[id_].append(usage)
        askers, self._askers = self._askers, []
        found = [(executor, measured[id_]) for id_, executor in self.containers.items() if id_ in measured]
        for asker, answer in askers:
            self.send(asker, HttpResponseMessage(answer(found)))

    def _sum(self, name: str) -> float:
        """What the containers that run used when they were measured last."""
        return sum(dict(usages[-1].numbers).get(name, 0.0) for usages in self._history.values())

    def _show_history(self, request: HttpRequest) -> HttpResponse:
        wanted, sight = request.argument("container_id"), self.sight
        history: dict[str, Any] = {
            id_: [_numbers(usage) for usage in usages]
            for id_, usages in self._history.items()
            if wanted in ("", str(id_)) and id_ in self.containers and sight.container(self.containers[id_])
        }
        return HttpResponse.json(history)


def _form(executor: ExecutorRecord, usage: Usage, with_container: bool) -> Json:
    """An executor and what its container uses."""
    shown: Json = {
        "executor_id": executor.id,
        "executor_name": executor.info.name,
        "framework_id": executor.framework.id,
        "source": executor.id if executor.is_command else "",
        "statistics": numbers(executor, usage),
    }
    if with_container:
        shown["container_id"] = usage.container_id
        shown["status"] = {"container_id": {"value": usage.container_id}}
        if executor.process_id is not None:
            shown["status"]["executor_pid"] = executor.process_id
    return shown


def numbers(executor: ExecutorRecord, usage: Usage) -> Json:
    """What an executor's container uses, and may use."""
    return {"cpus_soft_limit": executor.resources.scalar("cpus")} | _numbers(usage)


def _numbers(usage: Usage) -> Json:
    return dict(usage.numbers) | {"timestamp": usage.timestamp}
