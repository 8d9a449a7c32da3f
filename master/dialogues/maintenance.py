"""Maintenance: what operators plan for machines, and what follows for the agents there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from libprocess.http import HttpResponse
from libprocess.http.exchange import HttpResponseMessage
from libprocess.pid import PID
from master.dialogues.base import log
from master.dialogues.departures import Departures
from master.records import AgentRecord
from master.records.maintenance import check_schedule, name_of
from master.registrar.operations import Operation, RemoveAgent, SetMaintenance
from master.updates import Verdict
from mesos.messages import ShutdownMessage
from mesos.types import MachineID, Reason, TaskState, Window

Machines = tuple[MachineID, ...]


class MachineMaintenance(Departures):
    """Answers operators; each method says what the HTTP response is, or None if it comes when it is written down."""

    def set_schedule(self, schedule: tuple[Window, ...]) -> HttpResponse | None:
        """Let these machines be away at these times, and no others."""
        down = self.cluster.maintenance.down
        wrong = check_schedule(schedule, down)
        if wrong is not None:
            return HttpResponse.error(400, f"Failed to validate maintenance schedule: {wrong}")
        self._write_maintenance(schedule, down)
        return None

    def start_maintenance(self, machines: Machines) -> HttpResponse | None:
        """Have machines that are in the schedule down now: the agents there end, and none is taken from there."""
        maintenance = self.cluster.maintenance
        wrong = _missing(machines, maintenance.draining(), "expected a machine of the schedule that is not down yet")
        if wrong is not None:
            return HttpResponse.error(400, f"Failed to start maintenance: {wrong}")
        self._write_maintenance(maintenance.schedule, (*maintenance.down, *machines))
        return None

    def stop_maintenance(self, machines: Machines) -> HttpResponse | None:
        """Have machines that are down up again, and out of the schedule."""
        maintenance = self.cluster.maintenance
        wrong = _missing(machines, maintenance.down, "expected a machine that is down")
        if wrong is not None:
            return HttpResponse.error(400, f"Failed to stop maintenance: {wrong}")
        left = (
            Window(tuple(each for each in window.machine_ids if each not in machines), window.unavailability)
            for window in maintenance.schedule
        )
        schedule = tuple(window for window in left if window.machine_ids)
        self._write_maintenance(schedule, tuple(each for each in maintenance.down if each not in machines))
        return None

    def _write_maintenance(self, schedule: tuple[Window, ...], down: Machines) -> None:
        operation: Operation = SetMaintenance(schedule, down)
        self.write(operation, partial(self._maintenance_set, schedule, down, self.sender))

    def _maintenance_set(self, schedule: tuple[Window, ...], down: Machines, asker: PID) -> None:
        """It is written down."""
        self.cluster.maintenance.set(schedule, down)
        self.send(asker, HttpResponseMessage(HttpResponse()))
        for notice in self.cluster.notices.all():
            agent = self.cluster.agents[notice.offer.agent_id]
            if self.cluster.unavailability(agent) != notice.offer.unavailability:
                self.withdraw(agent)
        for _, agent in sorted(self.cluster.agents.items()):
            self._set_for(agent)

    def _set_for(self, agent: AgentRecord) -> None:
        if self.cluster.maintenance.is_down(agent.info.hostname, agent.pid.host):
            why = f"an operator took down the machine of agent {agent.id}"
            log.info("%s", why)
            self.send(agent.pid, ShutdownMessage(why))
            verdict = Verdict(TaskState.TASK_GONE, Reason.REASON_AGENT_REMOVED, why)
            self.give_up(agent, RemoveAgent(agent.id), verdict)
            return
        when = self.cluster.unavailability(agent)
        self.rescind([offer for offer in agent.offers.values() if offer.unavailability != when])
        self.look_after(agent)


def _missing(machines: Iterable[MachineID], known: Iterable[MachineID], expected: str) -> str | None:
    odd = next((machine for machine in machines if machine not in known), None)
    return None if odd is None else f"{expected}, found {name_of(odd)}"
