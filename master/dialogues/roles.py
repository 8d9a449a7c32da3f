"""What operators decide: weights and quotas of roles, reservations and volumes on agents."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from libprocess.http import HttpResponse
from libprocess.http.exchange import HttpResponseMessage
from libprocess.pid import PID
from master.allocator.bundle import clip
from master.allocator.messages import (
    AvailableUpdatedMessage,
    Quota,
    RoleWeight,
    SetQuotasMessage,
    SetWeightsMessage,
    UpdateAvailableMessage,
)
from master.dialogues.base import log
from master.dialogues.operations import Operations
from master.quotas import check_possible, check_quotas, offers_in_the_way
from master.records import AgentRecord
from master.registrar.operations import UpdateQuotas, UpdateWeights
from master.validation.operation import check_operation
from master.validation.rights import to_operate
from mesos.conversions import conversion
from mesos.ids import AgentID
from mesos.resources import Resources
from mesos.roles import check_role, is_at_or_above
from mesos.types import Operation

ACCEPTED = HttpResponse(202)


@dataclass(frozen=True)
class Wish:
    """An operator's operation that the allocator was asked to make room for."""

    asker: PID
    operation: Operation
    agent_id: AgentID
    serial: int
    """Of the agent's announcement: after another one the allocator speaks of an agent that is over."""


class Roles(Operations):
    """Answers operators. Each method says what the HTTP response is; None says that it comes later, to the sender."""

    # Weights.

    def set_weights(self, weights: Sequence[RoleWeight]) -> HttpResponse | None:
        """Let roles weigh so much from now on."""
        forbidden = self.forbidden(*(("update_weights", each.role) for each in weights))
        if forbidden is not None:
            return forbidden
        for each in weights:
            wrong = check_role(each.role)
            if wrong is None and not 0 < each.weight < float("inf"):
                wrong = f"expected a weight above 0 for role {each.role}, found {each.weight:g}"
            if wrong is not None:
                return HttpResponse.error(400, f"Failed to validate update weights request: {wrong}")
        unlisted = self.check_listed(each.role for each in weights)
        if unlisted is not None:
            return HttpResponse.error(400, f"Failed to validate update weights request: {unlisted}")
        self.write(UpdateWeights(tuple(weights)), partial(self._weights_set, tuple(weights), self.sender))
        return None

    def _weights_set(self, weights: tuple[RoleWeight, ...], asker: PID) -> None:
        """What is offered is shared out anew, so that the weights count at once."""
        changed = [each.role for each in weights if self.cluster.roles.weights.get(each.role, 1.0) != each.weight]
        self.apply_weights(weights)
        if any(is_at_or_above(role, own) for role in changed for own in self._roles_in_use()):
            self.rescind(list(self.cluster.offers.values()))
        self.send(asker, HttpResponseMessage(HttpResponse()))

    def _roles_in_use(self) -> set[str]:
        return {role for framework in self.cluster.frameworks.values() for role in framework.info.all_roles}

    def apply_weights(self, weights: tuple[RoleWeight, ...]) -> None:
        """Let weights that are written down have their effect."""
        self.cluster.roles.weights.update((each.role, each.weight) for each in weights)
        self.send(self.allocator, SetWeightsMessage(weights))

    # Quotas.

    def set_quotas(self, quotas: Sequence[Quota], force: bool, impossible: int = 409) -> HttpResponse | None:
        """Let roles have these quotas from now on, all or none of them; impossible ones only by force.

        `impossible` is the status that says so: Mesos has another one for each way to ask.
        """
        forbidden = self.forbidden(*(("update_quotas", quota.role) for quota in quotas))
        if forbidden is not None:
            return forbidden
        wrong = check_quotas(quotas) or self.check_listed(quota.role for quota in quotas)
        if wrong is not None:
            return HttpResponse.error(400, f"Failed to validate quota: {wrong}")
        wrong = None if force else check_possible(quotas, self.cluster)
        if wrong is not None:
            return HttpResponse.error(impossible, f"Heuristic capacity check for set quota request failed: {wrong}")
        self.write(UpdateQuotas(tuple(quotas)), partial(self._quotas_set, tuple(quotas), self.sender))
        return None

    def _quotas_set(self, quotas: tuple[Quota, ...], asker: PID) -> None:
        self.apply_quotas(quotas)
        self.rescind(offers_in_the_way(quotas, self.cluster))
        log.info("quotas are set for %s", ", ".join(quota.role for quota in quotas))
        self.send(asker, HttpResponseMessage(HttpResponse()))

    def apply_quotas(self, quotas: tuple[Quota, ...]) -> None:
        """Let quotas that are written down have their effect."""
        for quota in quotas:
            self.cluster.roles.set_quota(quota)
        self._quotas_told += 1
        self.send(self.allocator, SetQuotasMessage(quotas))

    # Operations.

    _wishes: deque[Wish]
    """Those that the allocator has not answered yet, in order."""

    def operate_on(self, agent_id: AgentID, operation: Operation) -> HttpResponse | None:
        """Have an operator's operation applied on an agent, where offers may have to be taken back for it."""
        agent = self.cluster.agents.get(agent_id)
        if agent is None:
            return HttpResponse.error(400, "No agent found with specified ID")
        forbidden = self.forbidden(*to_operate(operation))
        if forbidden is not None:
            return forbidden
        wrong = check_operation(operation, agent, self.asker or "")
        if wrong is not None:
            return HttpResponse.error(400, f"Invalid {operation.__struct_config__.tag} operation: {wrong}")
        if not agent.connected:
            return HttpResponse.error(409, f"agent {agent_id} is not connected; try again when it is back")
        before, after = conversion(operation)
        self._make_free(agent, before)
        self._wishes.append(Wish(self.sender, operation, agent_id, agent.serial))
        self.send(self.allocator, UpdateAvailableMessage(agent_id, before, after))
        return None

    def _make_free(self, agent: AgentRecord, needed: Resources) -> None:
        """Take back as many offers of an agent as it takes."""
        self.rescind_copies(agent, needed)
        held = agent.used.total().unallocate()
        offers = list(agent.offers.values()) if clip(agent.total, held).contains(needed) else []
        while offers and not clip(agent.total, held + Resources.sum(each.resources for each in offers)).contains(
            needed
        ):
            self.rescind([offers.pop()])

    def available_updated(self, message: AvailableUpdatedMessage) -> None:
        """See the message."""
        if self.sender != self.allocator:
            self.ignore("only the allocator knows what is free")
            return
        wish = self._wishes.popleft()
        self.send(wish.asker, HttpResponseMessage(self._outcome(wish, message.error)))

    def _outcome(self, wish: Wish, error: str) -> HttpResponse:
        agent = self.cluster.agents.get(wish.agent_id)
        if agent is None or agent.serial != wish.serial or not agent.connected:
            error = f"agent {wish.agent_id} went away meanwhile; try again when it is back"
        if agent is None or error:
            return HttpResponse.error(409, error)
        self.order(agent, wish.operation)
        return ACCEPTED
