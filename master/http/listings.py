"""Parts of the state, each at an address of its own: what command lines and dashboards ask for."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.routes import About, RouteHandler
from master.allocator.messages import Quota
from master.http import state
from master.http.endpoints import Endpoints
from master.http.forms import agent, framework, recovered, task
from master.http.snapshot import Shapes, Snapshot
from master.records import AgentRecord, TaskRecord
from master.records.roles import Amounts, consumption
from mesos.forms import Json
from mesos.resources import Resources
from mesos.roles import ANY_ROLE
from mesos.v1.resources import full_resources

TASKS_SHOWN = 100
NOTHING = Resources()


ARGUMENTS = {
    "/slaves": {"slave_id": "one agent"},
    "/frameworks": {"framework_id": "one framework"},
    "/tasks": {
        "framework_id": "those of one framework",
        "task_id": "those of this name",
        "order": "asc or des: the oldest or the newest first",
        "limit": "how many",
        "offset": "how many to skip",
    },
}


class Listings(Endpoints):
    """Lists of agents, frameworks, tasks and roles."""

    def serve(self) -> None:
        """See Endpoints."""
        super().serve()
        shown: dict[str, RouteHandler] = {
            "/slaves": self._slaves,
            "/frameworks": self._frameworks,
            "/tasks": self._tasks,
            "/roles": self._roles,
        }
        for path, handler in shown.items():
            self.route(path, handler, about=About(ARGUMENTS.get(path, {})))
        older = {"/state": self._state, "/state-summary": self._summary}
        for path, handler in (shown | older).items():
            self.route(f"{path}.json", handler, about=About(ARGUMENTS.get(path, {})))

    def _slaves(self, request: HttpRequest) -> HttpResponse | None:
        wanted = request.argument("slave_id")
        if not wanted and self.seen is self.cluster:

            def head() -> Json:
                return {"recovered_slaves": recovered(self.cluster)}

            return self.read("slaves", request, SLAVES, head, _slaves_in)
        found = [each for each in self.seen.agents.values() if wanted in ("", each.id)]
        return HttpResponse.json(
            {"slaves": [_slave(each) for each in found], "recovered_slaves": recovered(self.cluster)}
        )

    def _frameworks(self, request: HttpRequest) -> HttpResponse | None:
        wanted = request.argument("framework_id")
        seen = self.seen
        lists = {"frameworks": seen.frameworks, "completed_frameworks": seen.completed}
        if not wanted and seen is self.cluster:

            def head() -> Json:
                return {"unregistered_frameworks": [each.id for each in self.cluster.orphans()]}

            return self.read("frameworks", request, state.SHAPES, head, _frameworks_in)
        shown = {
            name: [framework(each) for each in records.values() if wanted in ("", each.id)]
            for name, records in lists.items()
        }
        return HttpResponse.json(shown | {"unregistered_frameworks": [each.id for each in seen.orphans()]})

    def _tasks(self, request: HttpRequest) -> HttpResponse:
        limit, offset = _number(request, "limit", TASKS_SHOWN), _number(request, "offset", 0)
        if limit is None or offset is None:
            return HttpResponse.error(400, "Expecting 'limit' and 'offset' to be numbers")
        task_id = request.argument("task_id")
        all_tasks = self._tasks_of(request.argument("framework_id"))
        found = [each for each in all_tasks if each.task_id == task_id] if task_id else list(all_tasks)
        end = len(found) if limit < 0 else min(len(found), max(offset, 0) + limit)
        first = heapq.nsmallest if request.argument("order") == "asc" else heapq.nlargest
        return HttpResponse.json({"tasks": [task(each) for each in first(end, found, key=_begun)[max(offset, 0) :]]})

    def _tasks_of(self, framework_id: str) -> Iterable[TaskRecord]:
        """All tasks of a framework; without one, of all."""
        seen = self.seen
        for record in (*seen.frameworks.values(), *seen.completed.values()):
            if framework_id not in ("", record.id):
                continue
            yield from record.tasks.values()
            yield from record.unreachable_tasks.values()
            yield from record.completed_tasks

    def _roles(self, request: HttpRequest) -> HttpResponse:
        seen, sight = self.seen, self.sight
        weights = seen.roles.weights
        consumed = consumption(self.cluster.agents.values(), self.cluster.frameworks.values())
        known = {*weights, *seen.roles.quotas, *(role for role, amounts in consumed.items() if amounts)}
        members: dict[str, list[str]] = {role: [] for role in known - {ANY_ROLE}}
        for record in seen.frameworks.values():
            for role in record.info.all_roles:
                members.setdefault(role, []).append(record.id)
        shown = [
            self._role(role, weights.get(role, 1.0), members[role])
            | ({"quota": self._quota(role, consumed.get(role, {}))} if sight.quota(role) else {})
            for role in sorted(members)
            if sight.role(role)
        ]
        return HttpResponse.json({"roles": shown})

    def _quota(self, role: str, consumed: Amounts) -> Json:
        quota = self.cluster.roles.quotas.get(role, Quota(role))
        amounts = {"guarantee": dict(quota.guarantees), "limit": dict(quota.limits), "consumed": consumed}
        return {"role": role, **{name: _units(these) for name, these in amounts.items()}}

    def _role(self, role: str, weight: float, framework_ids: list[str]) -> Json:
        used = (each.used.total().allocations().get(role, NOTHING) for each in self.cluster.frameworks.values())
        offered = (each.resources for each in self.cluster.offers.values() if each.role == role)
        allocated, on_offer = Resources.sum(used).flatten(), Resources.sum(offered).flatten()
        reserved = Resources.sum(each.total.reserved(role) for each in self.cluster.agents.values())
        return {
            "name": role,
            "weight": weight,
            "resources": _amounts(allocated + on_offer),
            "allocated": _amounts(allocated),
            "offered": _amounts(on_offer),
            "reserved": _amounts(reserved),
            "frameworks": framework_ids,
        }


def _slaves_in(snapshot: Snapshot) -> dict[str, Iterable[bytes]]:
    return {"slaves": snapshot.agents.parts()}


def _frameworks_in(snapshot: Snapshot) -> dict[str, Iterable[bytes]]:
    whole = state.lists(snapshot)
    return {name: whole[name] for name in ("frameworks", "completed_frameworks")}


def _slave(record: AgentRecord) -> Json:
    """An agent, with its resources in full, too."""
    total = record.total
    return agent(record) | {
        "reserved_resources_full": {
            role: full_resources(total.reserved(role))
            for role in sorted({kind.role for kind, _ in total.items if kind.reservations})
        },
        "unreserved_resources_full": full_resources(total.unreserved()),
        "used_resources_full": full_resources(record.used.total()),
        "offered_resources_full": full_resources(record.offered),
    }


SLAVES = Shapes(_slave, lambda record: {}, {})


def _number(request: HttpRequest, name: str, default: int) -> int | None:
    """A whole number of the query; None for what is none."""
    text = request.argument(name, str(default))
    return int(text) if text.removeprefix("-").isdecimal() and len(text) < 10 else None


def _begun(record: TaskRecord) -> float:
    """When a task began: its first status says it, and before there is one, its launch."""
    return record.statuses[0].timestamp if record.statuses else record.launched_time


def _amounts(these: Resources) -> Json:
    """Scalars by name, only those that there are."""
    return _units(these.quantities())


def _units(amounts: Amounts) -> Json:
    return {name: thousandths / 1000 for name, thousandths in sorted(amounts.items()) if thousandths}
