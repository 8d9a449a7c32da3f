"""GET /explain?framework_id=&role=&agent_id=: why there was an offer, or why there was none."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from msgspec.structs import replace

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.exchange import HttpResponseMessage
from libprocess.http.routes import About
from libprocess.pid import PID
from master.allocator.explain import moment
from master.allocator.messages import Because, ExplainedMessage, ExplainMessage, Explanation, Why
from master.http.endpoints import Endpoints
from master.records import AgentRecord
from mesos.forms import Json
from mesos.ids import AgentID, FrameworkID

TOLD_MAX = 10
"""So many frameworks are named to who asks for one that is not there."""


class Explain(Endpoints):
    """Asks the allocator."""

    _questions: deque[PID]
    """Who waits for its answers, in order."""

    def serve(self) -> None:
        """See Endpoints."""
        super().serve()
        self._questions = deque()
        asked = {"framework_id": "whose offers", "role": "which of its roles", "agent_id": "at which agent"}
        self.route("/explain", self._explain, about=About(asked))

    def _explain(self, request: HttpRequest) -> HttpResponse | None:
        framework_id, role = FrameworkID(request.argument("framework_id")), request.argument("role")
        frameworks = self.seen.frameworks
        framework = frameworks.get(framework_id)
        if framework is None:
            return HttpResponse.error(404, self._unknown(framework_id))
        if not role and len(framework.info.all_roles) != 1:
            roles = ", ".join(framework.info.all_roles)
            return HttpResponse.error(400, f"expected the role in question, found none; the framework has {roles}")
        role = role or framework.info.all_roles[0]
        agent_id = AgentID(request.argument("agent_id")) or None
        self._questions.append(self.sender)
        self.send(self.allocator, ExplainMessage(framework_id, role, agent_id))
        return None

    def _unknown(self, framework_id: FrameworkID) -> str:
        over, known = self.seen.completed.get(framework_id), list(self.seen.frameworks)
        if over is not None:
            since = f" at {moment(over.unregistered_time)}" if over.unregistered_time else ""
            return f"framework {framework_id} ended{since}, and is offered nothing any more"
        some = ", ".join(known[:TOLD_MAX]) or "none"
        more = f" and {len(known) - TOLD_MAX} more" if len(known) > TOLD_MAX else ""
        return f"expected the framework_id of a framework, found '{framework_id}'; there are {some}{more}"

    def explained(self, message: ExplainedMessage) -> None:
        """See the message."""
        if self.sender != self.allocator:
            self.ignore("only the allocator knows why")
            return
        agents = [self._agent(each, message.framework_id) for each in message.explanations]
        answer = {"framework_id": message.framework_id, "role": message.role, "agents": agents}
        self.send(self._questions.popleft(), HttpResponseMessage(HttpResponse.json(answer)))

    def _agent(self, explanation: Explanation, framework_id: FrameworkID) -> Json:
        agent = self.cluster.agents.get(explanation.agent_id)
        told = (self._told(each, framework_id, explanation.agent_id) for each in explanation.reasons)
        return {
            "agent_id": explanation.agent_id,
            "hostname": agent.info.hostname if agent is not None else "",
            "reasons": list(map(_reason, told)),
        }

    def _told(self, because: Because, framework_id: FrameworkID, agent_id: AgentID) -> Because:
        """The reason with what the master knows of it, which the allocator does not."""
        framework, agent = self.cluster.frameworks.get(framework_id), self.cluster.agents.get(agent_id)
        text = ""
        if because.why is Why.DISCONNECTED and framework is not None and not framework.active:
            text = f"the framework gets no offers: {framework.state.value}"
        elif because.why is Why.AGENT_INACTIVE and agent is not None:
            text = ", and ".join(_whys_of(agent))
        elif because.why is Why.NO_AGENT:
            text = self._where_it_is(agent_id)
        return replace(because, text=text) if text else because

    def _where_it_is(self, agent_id: AgentID) -> str:
        known = self.cluster
        if agent_id in known.unreachable:
            return f"agent {agent_id} is out of reach, and was given up at {moment(known.unreachable[agent_id])}"
        if agent_id in known.gone:
            return f"an operator said at {moment(known.gone[agent_id])} that agent {agent_id} is gone for good"
        if agent_id in known.recovered:
            return f"agent {agent_id} was known to a former master, and has not come back yet"
        return ""


def _whys_of(agent: AgentRecord) -> Iterator[str]:
    """Why an agent is not offered."""
    if not agent.connected:
        yield "the agent is not connected, and is given up unless it comes back in time"
    if agent.drain is not None:
        done = "drained" if agent.drain.is_done else "being drained"
        yield f"an operator had the agent {done}, since {moment(agent.drain.began)}"
    elif agent.is_deactivated:
        yield "an operator deactivated the agent"


def _reason(because: Because) -> Json:
    times = {"since": because.since, "until": because.until}
    known = {name: time for name, time in times.items() if time is not None}
    return {"reason": because.why, "text": because.text, **known}
