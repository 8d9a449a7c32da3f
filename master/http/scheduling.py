"""HTTP for operators who decide who gets what: /reserve and the like, /weights, /quota."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import msgspec

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.exchange import JSON_TYPE
from libprocess.http.routes import About, form
from master.allocator.messages import Quota, RoleWeight
from master.dialogues.roles import Roles
from master.http.endpoints import Endpoints
from master.http.quota_forms import read_info, write_config, write_info
from mesos.ids import AgentID
from mesos.resources import Resources
from mesos.resources.jsonform import resources_from_json
from mesos.types import Create, Destroy, Operation, Reserve, Unreserve


class Weight(msgspec.Struct, forbid_unknown_fields=True):
    """What PUT /weights takes a list of."""

    role: str
    weight: float


_weights = msgspec.json.Decoder(list[Weight])

OPERATIONS: dict[str, tuple[str, Callable[[Resources], Operation]]] = {
    "/reserve": ("resources", Reserve),
    "/unreserve": ("resources", Unreserve),
    "/create-volumes": ("volumes", Create),
    "/destroy-volumes": ("volumes", Destroy),
}
"""By path: the name of the field with the resources, and what is done with them."""


WEIGHTS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"role": {"type": "string"}, "weight": {"type": "number"}},
        "required": ["role", "weight"],
    },
}
QUOTA = {
    "type": "object",
    "properties": {
        "role": {"type": "string"},
        "guarantee": {"type": "array", "items": {"type": "object"}},
        "force": {"type": "boolean"},
    },
    "required": ["role", "guarantee"],
}


class Scheduling(Endpoints, Roles):
    """What operators read and set about the sharing of the cluster."""

    def serve(self) -> None:
        """See Endpoints."""
        super().serve()
        for path, (field, make) in OPERATIONS.items():
            about = form(**{"slaveId": "on which agent", field: "a list of resources, as JSON"})
            self.route(path, partial(self._operate, field, make), methods=("POST",), about=about)
        self.route("/weights", self._handle_weights, methods=("GET", "PUT"), about=About(body={JSON_TYPE: WEIGHTS}))
        self.route("/quota", self._handle_quota, methods=("GET", "POST"), about=About(body={JSON_TYPE: QUOTA}))
        self.route("/quota/*", self._remove_quota, methods=("DELETE",))

    def _operate(self, field: str, make: Callable[[Resources], Operation], request: HttpRequest) -> HttpResponse | None:
        """A form with an agent's id and resources as JSON."""
        form = parse_qs(request.body.decode(errors="replace"))
        for name in ("slaveId", field):
            if name not in form:
                return HttpResponse.error(400, f"Missing '{name}' query parameter in the request body")
        try:
            resources = Resources.of(*resources_from_json(form[field][0]))
        except ValueError as error:
            return HttpResponse.error(400, f"Error in parsing '{field}' query parameter in the request body: {error}")
        return self.operate_on(AgentID(form["slaveId"][0]), make(resources))

    def _handle_weights(self, request: HttpRequest) -> HttpResponse | None:
        if request.method == "GET":
            weights = sorted(self.seen.roles.weights.items())
            return HttpResponse.json([{"role": role, "weight": weight} for role, weight in weights])
        try:
            asked = _weights.decode(request.body)
        except msgspec.MsgspecError as error:
            return HttpResponse.error(400, f"Failed to parse update weights request JSON: {error}")
        return self.set_weights([RoleWeight(each.role, each.weight) for each in asked])

    def _handle_quota(self, request: HttpRequest) -> HttpResponse | None:
        if request.method == "GET":
            quotas = [quota for _, quota in sorted(self.seen.roles.quotas.items())]
            shown = {"infos": list(map(write_info, quotas)), "configs": list(map(write_config, quotas))}
            return HttpResponse.json({name: rows for name, rows in shown.items() if rows})
        try:
            return self.set_first_quota(_object(request.body))
        except ValueError as error:
            return HttpResponse.error(400, f"Failed to parse set quota request JSON: {error}")

    def set_first_quota(self, tree: Mapping[str, Any]) -> HttpResponse | None:
        """Set a quota the older way: of a role that has none. ValueError for what cannot be read."""
        quota = read_info(tree)
        wrong = None
        if not quota.guarantees and not quota.limits:
            wrong = "expected a guarantee of at least one resource, found none"
        elif quota.role in self.cluster.roles.quotas:
            wrong = f"role '{quota.role}' already has a quota; remove it first, or update it by /api/v1"
        if wrong is not None:
            return HttpResponse.error(400, f"Failed to validate set quota request: {wrong}")
        return self.set_quotas([quota], force=tree.get("force") is True)

    def _remove_quota(self, request: HttpRequest) -> HttpResponse | None:
        return self.remove_quota(request.below)

    def remove_quota(self, role: str) -> HttpResponse | None:
        """Let a role have no quota any more."""
        if role not in self.cluster.roles.quotas:
            return HttpResponse.error(400, f"Failed to remove quota: role '{role}' has no quota")
        return self.set_quotas([Quota(role)], force=True)


def _object(body: bytes) -> dict[str, Any]:
    """A JSON object; ValueError for anything else."""
    tree = msgspec.json.decode(body)
    if not isinstance(tree, dict):
        raise ValueError(f"expected an object, found {tree!r}")
    return tree
