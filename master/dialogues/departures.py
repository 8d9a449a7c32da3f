"""Departures: agents that operators drain, deactivate, or never want back; and frameworks that are told so in time.

A framework that runs something on an agent that will go away is sent an inverse offer, with the time when. What it has
not moved elsewhere by then is killed.
"""

from __future__ import annotations

from functools import partial

from libprocess.http import HttpResponse
from libprocess.http.exchange import HttpResponseMessage
from libprocess.message import Message
from libprocess.pid import PID
from master.allocator.messages import SetAgentActiveMessage
from master.dialogues.base import log
from master.dialogues.losses import Losses
from master.records import AgentRecord, FrameworkRecord
from master.records.notices import Response
from master.registrar.entries import Drain
from master.registrar.operations import (
    DeactivateAgent,
    DrainAgent,
    FinishDrain,
    MarkGone,
    ReactivateAgent,
)
from master.updates import Verdict, update_of_known
from mesos.ids import AgentID, OfferID
from mesos.messages import (
    AcceptInverseOffersMessage,
    DeclineInverseOffersMessage,
    InverseOffersMessage,
    KillTaskMessage,
    RescindInverseOfferMessage,
    StatusUpdateMessage,
)
from mesos.types import InverseOffer, Reason, TaskState

LOOK_SECONDS = 1.0
KILL_AGAIN_SECONDS = 10.0
"""An order to kill may get lost."""


class LookAfterDeparturesMessage(Message, frozen=True):
    """Master → itself, every second as long as any agent is to go away."""


class Departures(Losses):
    """From an operator's word to an agent that nothing runs on any more."""

    _looks = False

    # What operators say. Each answers over HTTP when it is written down.

    def drain_agent(self, agent_id: AgentID, grace_seconds: float | None, mark_gone: bool) -> HttpResponse | None:
        """Have an agent emptied: at once, or by so much later; it is not offered any more."""
        wrong = self._check_known(agent_id, "drain")
        if wrong is not None:
            return wrong
        drain = Drain(self.now, grace_seconds, mark_gone)
        log.info("agent %s is to be drained within %g s", agent_id, grace_seconds or 0.0)
        self.write(DrainAgent(agent_id, drain), partial(self._ordered, agent_id, True, drain, self.sender))
        return None

    def deactivate_agent(self, agent_id: AgentID) -> HttpResponse | None:
        """Offer an agent no more; what runs there runs on."""
        wrong = self._check_known(agent_id, "deactivate")
        if wrong is not None:
            return wrong
        drain = self.cluster.orders.get(agent_id)
        self.write(DeactivateAgent(agent_id), partial(self._ordered, agent_id, True, drain, self.sender))
        return None

    def reactivate_agent(self, agent_id: AgentID) -> HttpResponse | None:
        """Offer an agent again, and leave alone what runs there."""
        wrong = self._check_known(agent_id, "reactivate")
        if wrong is not None:
            return wrong
        self.write(ReactivateAgent(agent_id), partial(self._ordered, agent_id, False, None, self.sender))
        return None

    def mark_agent_gone(self, agent_id: AgentID) -> HttpResponse | None:
        """Never take an agent back: its tasks are gone for good."""
        if agent_id in self.cluster.gone:
            return HttpResponse()
        wrong = self._check_known(agent_id, "mark gone")
        if wrong is not None:
            return wrong
        if agent_id in self.leaving:
            return HttpResponse.error(409, f"agent {agent_id} is being given up just now; try again")
        self._mark_gone(agent_id, self.sender)
        return None

    def _check_known(self, agent_id: AgentID, what: str) -> HttpResponse | None:
        if self.cluster.knows_agent(agent_id):
            return None
        return HttpResponse.error(400, f"Failed to {what} agent: no agent {agent_id} is known")

    # What follows.

    def _ordered(self, agent_id: AgentID, is_deactivated: bool, drain: Drain | None, asker: PID) -> None:
        """It is written down, unless the agent was given up for good while it was on its way."""
        if not self.cluster.knows_agent(agent_id):
            gone = HttpResponse.error(409, f"agent {agent_id} was given up for good just now")
            self.send(asker, HttpResponseMessage(gone))
            return
        self.cluster.order_agent(agent_id, is_deactivated, drain)
        self.send(asker, HttpResponseMessage(HttpResponse()))
        agent = self.cluster.agents.get(agent_id)
        if agent is None:
            return  # when it comes back
        agent.killed_at = agent.finishing = None
        self.send(self.allocator, SetAgentActiveMessage(agent.id, agent.active))
        if not agent.active:
            self.rescind(agent.offers.values())
        self.withdraw(agent)
        self.look_after(agent)

    def look_after(self, agent: AgentRecord) -> None:
        """See to it that an agent that is to go away does."""
        if not self._looks and self.cluster.unavailability(agent) is not None:
            self._looks = True
            self.delay(0.0, LookAfterDeparturesMessage())

    def look_after_departures(self, message: LookAfterDeparturesMessage) -> None:
        """See the message."""
        if not self.is_own():
            return
        leaving = [
            agent for _, agent in sorted(self.cluster.agents.items()) if self.cluster.unavailability(agent) is not None
        ]
        for agent in leaving:
            self._give_notice(agent)
            if agent.drain is not None and not agent.drain.is_done:
                self._go_on_draining(agent, agent.drain)
        self._looks = bool(leaving)
        if leaving:
            self.delay(LOOK_SECONDS, message)

    def _go_on_draining(self, agent: AgentRecord, drain: Drain) -> None:
        if not agent.tasks and not agent.operations and not agent.ending:
            self._finish_draining(agent, drain)
        elif self.now >= drain.deadline and agent.connected:
            again = None if agent.killed_at is None else agent.killed_at + KILL_AGAIN_SECONDS
            if again is None or self.now >= again:
                self._kill_all(agent)

    def _finish_draining(self, agent: AgentRecord, drain: Drain) -> None:
        """Nothing runs there. That, or that it is gone, is one thing to write down: no master can end in between."""
        if drain.mark_gone:
            if agent.id not in self.leaving:
                self._mark_gone(agent.id)
        elif agent.finishing is not drain:
            log.info("agent %s is drained", agent.id)
            agent.finishing = drain
            self.write(FinishDrain(agent.id), partial(self._drained, agent.id, drain))

    def _kill_all(self, agent: AgentRecord) -> None:
        agent.killed_at = self.now
        for (framework_id, task_id), task in sorted(agent.tasks.items()):
            if not task.ended:
                self.send(agent.pid, KillTaskMessage(framework_id, task_id, agent.id, is_drain=True))

    def _drained(self, agent_id: AgentID, drain: Drain) -> None:
        """It is written down that nothing runs there, unless an operator thought otherwise meanwhile."""
        if self.cluster.orders.get(agent_id) == drain:
            self.cluster.order_agent(agent_id, True, drain.done())

    # Agents that are gone.

    def _mark_gone(self, agent_id: AgentID, asker: PID | None = None) -> None:
        agent, operation = self.cluster.agents.get(agent_id), MarkGone(agent_id, self.now)
        if agent is not None:
            self.give_up(agent, operation, _gone(agent_id))
            self.write(operation, partial(self._told_gone, asker))  # written down already: this is only the answer
        else:
            self.leaving.add(agent_id)
            self.write(operation, partial(self._absent_gone, agent_id, asker))

    def _absent_gone(self, agent_id: AgentID, asker: PID | None) -> None:
        """An agent that was out of reach will not come back, and neither will what ran there."""
        self.leaving.discard(agent_id)
        self.cluster.mark_gone(agent_id, self.now)
        verdict = _gone(agent_id)
        for _, framework in sorted(self.cluster.frameworks.items()):
            for task in [task for task in framework.unreachable_tasks.values() if task.agent_id == agent_id]:
                update = update_of_known(framework, task, verdict, self.now)
                self.tell(framework, StatusUpdateMessage(update))
                task.update(update)
                del framework.unreachable_tasks[task.task_id]
                framework.completed_tasks.append(task)
        self._told_gone(asker)

    def _told_gone(self, asker: PID | None) -> None:
        if asker is not None:
            self.send(asker, HttpResponseMessage(HttpResponse()))

    # Frameworks.

    def _give_notice(self, agent: AgentRecord) -> None:
        """Tell those who run something there, and have not been told."""
        when = self.cluster.unavailability(agent)
        assert when is not None
        for framework in map(self.cluster.frameworks.__getitem__, agent.framework_ids()):
            if framework.connected and self.cluster.notices.find(agent.id, framework.id) is None:
                offer = InverseOffer(self.cluster.new_offer_id(), framework.id, agent.id, when)
                self.cluster.notices.add(offer, self.now)
                self.tell(framework, InverseOffersMessage((offer,), (agent.pid,)))

    def withdraw(self, agent: AgentRecord) -> None:
        """What was said of that agent does not hold any more."""
        for notice in self.cluster.notices.of(agent.id):
            self.cluster.notices.remove(notice)
            framework = self.cluster.frameworks[notice.offer.framework_id]
            self.tell(framework, RescindInverseOfferMessage(notice.offer.id))

    def accept_inverse_offers(self, message: AcceptInverseOffersMessage) -> None:
        """See the message."""
        framework = self.caller(message.framework_id)
        if framework is not None:
            self._respond(framework, message.inverse_offer_ids, Response.ACCEPT)

    def decline_inverse_offers(self, message: DeclineInverseOffersMessage) -> None:
        """See the message."""
        framework = self.caller(message.framework_id)
        if framework is not None:
            self._respond(framework, message.inverse_offer_ids, Response.DECLINE)

    def _respond(self, framework: FrameworkRecord, ids: tuple[OfferID, ...], response: Response) -> None:
        for id_ in ids:
            if not self.cluster.notices.answer(id_, framework.id, response, self.now):
                self.ignore(f"inverse offer {id_} does not stand any more")


def _gone(agent_id: AgentID) -> Verdict:
    why = f"agent {agent_id}: an operator said that it is gone"
    return Verdict(TaskState.TASK_GONE_BY_OPERATOR, Reason.REASON_AGENT_REMOVED_BY_OPERATOR, why)
