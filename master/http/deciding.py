"""What operators decide by the v1 API: weights, quotas, and what becomes of agents."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from libprocess.http import HttpRequest, HttpResponse
from master.allocator.messages import RoleWeight
from master.http.maintenance import MaintenanceApi
from master.http.quota_forms import read_config
from master.http.resource_calls import ResourceCalls
from mesos.ids import AgentID
from mesos.v1.tree import Tree


class Deciding(MaintenanceApi, ResourceCalls):
    """Reads the calls; the dialogues do what they say."""

    def serve(self) -> None:
        """See Endpoints."""
        super().serve()
        decisions: dict[str, Callable[[Tree], HttpResponse | None]] = {
            "UPDATE_WEIGHTS": self._update_weights,
            "UPDATE_QUOTA": self._update_quota,
            "SET_QUOTA": self._set_quota,
            "REMOVE_QUOTA": lambda body: self.remove_quota(body["role"]),
            "DRAIN_AGENT": self._drain_agent,
            "DEACTIVATE_AGENT": self._agent_call("deactivate_agents", self.deactivate_agent),
            "REACTIVATE_AGENT": self._agent_call("reactivate_agents", self.reactivate_agent),
            "MARK_AGENT_GONE": self._agent_call("mark_agents_gone", self.mark_agent_gone),
        }
        self.operator_orders |= {type_: partial(_with_body, does) for type_, does in decisions.items()}

    # Roles.

    def _update_weights(self, body: Tree) -> HttpResponse | None:
        infos = body.get("weight_infos", [])
        return self.set_weights([RoleWeight(each.get("role", ""), each["weight"]) for each in infos])

    def _update_quota(self, body: Tree) -> HttpResponse | None:
        try:
            quotas = [read_config(each) for each in body.get("quota_configs", [])]
        except ValueError as error:
            return HttpResponse.error(400, f"Invalid QuotaConfig: {error}")
        return self.set_quotas(quotas, body.get("force") is True, impossible=400)

    def _set_quota(self, body: Tree) -> HttpResponse | None:
        try:
            return self.set_first_quota(body["quota_request"])
        except ValueError as error:
            return HttpResponse.error(400, f"Failed to validate set quota request: {error}")

    # Agents.

    def _drain_agent(self, body: Tree) -> HttpResponse | None:
        grace = body.get("max_grace_period")
        seconds = None if grace is None else grace.get("seconds", 0) + grace.get("nanos", 0) / 1e9
        if seconds is not None and seconds < 0:
            return HttpResponse.error(
                400, f"Failed to drain agent: expected a grace period from 0 s on, found {seconds}"
            )
        return self.forbidden(("drain_agents", None)) or self.drain_agent(
            _agent_id(body), seconds, body.get("mark_gone", False)
        )

    def _agent_call(
        self, action: str, does: Callable[[AgentID], HttpResponse | None]
    ) -> Callable[[Tree], HttpResponse | None]:
        """A call about one agent, of whoever is allowed that."""

        def call(body: Tree) -> HttpResponse | None:
            return self.forbidden((action, None)) or does(_agent_id(body))

        return call


def _with_body(does: Callable[[Tree], HttpResponse | None], call: Tree, request: HttpRequest) -> HttpResponse | None:
    return does(call[call["type"].lower()])


def _agent_id(body: Tree) -> AgentID:
    return AgentID(body["agent_id"]["value"])
