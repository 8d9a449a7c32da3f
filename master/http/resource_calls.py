"""Calls of the operator API that change what agents have: reservations and volumes."""

from __future__ import annotations

from functools import partial

from libprocess.http import HttpRequest, HttpResponse
from master.http.operator_api import OperatorApi
from master.http.scheduling import Scheduling
from mesos.ids import AgentID
from mesos.types import Operation
from mesos.v1.door import Refusal, invalid
from mesos.v1.faces import CODECS
from mesos.v1.tree import Misfit, Tree

OPERATIONS = {
    "RESERVE_RESOURCES": "RESERVE",
    "UNRESERVE_RESOURCES": "UNRESERVE",
    "CREATE_VOLUMES": "CREATE",
    "DESTROY_VOLUMES": "DESTROY",
    "GROW_VOLUME": "GROW_VOLUME",
    "SHRINK_VOLUME": "SHRINK_VOLUME",
}
"""By call, the operation of a framework that does the same."""


class ResourceCalls(Scheduling, OperatorApi):
    """What operators have done with resources."""

    def serve(self) -> None:
        """See Endpoints."""
        super().serve()
        self.operator_orders |= {call: partial(self._operate_by_call, kind) for call, kind in OPERATIONS.items()}

    def _operate_by_call(self, kind: str, call: Tree, request: HttpRequest) -> HttpResponse | None:
        body = call[call["type"].lower()]
        if "agent_id" not in body:
            raise Refusal(400, "Expecting 'agent_id' to be present: there are no resources but those of agents")
        rest = {name: value for name, value in body.items() if name != "agent_id"}
        try:
            operation: Operation = CODECS[Operation].read({"type": kind, kind.lower(): rest})
        except Misfit as misfit:
            raise invalid("master::Call", misfit) from None
        return self.operate_on(AgentID(body["agent_id"]["value"]), operation)
