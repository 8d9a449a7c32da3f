"""HTTP for maintenance: /maintenance/schedule and /status, /machine/down and /up, and the calls of the v1 API."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from libprocess.http import HttpRequest, HttpResponse
from master.dialogues.maintenance import MachineMaintenance
from master.http.endpoints import Endpoints
from master.records.maintenance import is_there
from mesos.types import MachineID, Schedule
from mesos.v1.faces import FACES
from mesos.v1.media import Media
from mesos.v1.proto import message
from mesos.v1.tree import Misfit, Tree

SCHEDULE = message("maintenance.Schedule")
MACHINES = message("master.Call.StartMaintenance")

Does = Callable[[tuple[MachineID, ...]], HttpResponse | None]


class MaintenanceApi(Endpoints, MachineMaintenance):
    """Reads what operators plan, and shows it."""

    operator_calls: dict[str, Callable[[Tree], Tree]]
    operator_orders: dict[str, Callable[[Tree, HttpRequest], HttpResponse | None]]

    def serve(self) -> None:
        """See Endpoints."""
        super().serve()
        self.route("/maintenance/schedule", self._handle_schedule, methods=("GET", "POST"))
        self.route("/maintenance/status", self._show_status)
        self.route("/machine/down", partial(self._post_machines, self._down), methods=("POST",))
        self.route("/machine/up", partial(self._post_machines, self._up), methods=("POST",))
        self.operator_calls |= {
            "GET_MAINTENANCE_SCHEDULE": lambda call: {"schedule": self._schedule_form()},
            "GET_MAINTENANCE_STATUS": lambda call: {"status": self._status_form()},
        }
        self.operator_orders |= {
            "UPDATE_MAINTENANCE_SCHEDULE": lambda call, request: self._update(
                call["update_maintenance_schedule"]["schedule"]
            ),
            "START_MAINTENANCE": lambda call, request: self._down(call["start_maintenance"]),
            "STOP_MAINTENANCE": lambda call, request: self._up(call["stop_maintenance"]),
        }

    def _update(self, tree: Tree) -> HttpResponse | None:
        schedule: Schedule = FACES[Schedule].read(tree)
        return self.forbidden(("update_maintenance_schedules", None)) or self.set_schedule(schedule.windows)

    def _down(self, tree: Tree) -> HttpResponse | None:
        return self.forbidden(("start_maintenances", None)) or self.start_maintenance(_machines(tree))

    def _up(self, tree: Tree) -> HttpResponse | None:
        return self.forbidden(("stop_maintenances", None)) or self.stop_maintenance(_machines(tree))

    # The older endpoints.

    def _handle_schedule(self, request: HttpRequest) -> HttpResponse | None:
        if request.method == "POST":
            try:
                return self._update(Media.JSON.read(request.body, SCHEDULE))
            except Misfit as misfit:
                return HttpResponse.error(400, f"Failed to parse maintenance schedule: {misfit}")
        forbidden = self.forbidden(("get_maintenance_schedules", None))
        return forbidden or HttpResponse.json(self._schedule_form())

    def _show_status(self, request: HttpRequest) -> HttpResponse | None:
        return self.forbidden(("get_maintenance_statuses", None)) or HttpResponse.json(self._status_form())

    def _post_machines(self, does: Callable[[Tree], HttpResponse | None], request: HttpRequest) -> HttpResponse | None:
        """The body is a list of machines."""
        try:
            return does(Media.JSON.read(b'{"machines": ' + request.body + b"}", MACHINES))
        except Misfit as misfit:
            return HttpResponse.error(400, f"Failed to parse a list of machines: {misfit}")

    # What is shown.

    def _schedule_form(self) -> Tree:
        return FACES[Schedule].write(Schedule(self.cluster.maintenance.schedule))

    def _status_form(self) -> Tree:
        maintenance = self.cluster.maintenance
        draining = [
            {"id": FACES[MachineID].write(machine), **_some("statuses", self._answers(machine))}
            for machine in maintenance.draining()
        ]
        down = [FACES[MachineID].write(machine) for machine in maintenance.down]
        return _some("draining_machines", draining) | _some("down_machines", down)

    def _answers(self, machine: MachineID) -> list[Tree]:
        """What frameworks said to having to leave that machine."""
        return [
            {
                "status": notice.response,
                "framework_id": {"value": notice.offer.framework_id},
                "timestamp": {"nanoseconds": round(notice.time * 1_000_000) * 1000},
            }
            for _, agent in sorted(self.cluster.agents.items())
            if is_there(machine, agent.info.hostname, agent.pid.host)
            for notice in self.cluster.notices.of(agent.id)
        ]


def _machines(tree: Tree) -> tuple[MachineID, ...]:
    return tuple(FACES[MachineID].read(each) for each in tree.get("machines", []))


def _some(name: str, items: list[Tree]) -> Tree:
    """A list, unless there is nothing in it."""
    return {name: items} if items else {}
