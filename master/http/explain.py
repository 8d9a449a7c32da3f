"""GET /explain?framework_id=&role=&agent_id=: why there was an offer, or why there was none."""

from __future__ import annotations

from collections import deque

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.exchange import HttpResponseMessage
from libprocess.http.routes import About
from libprocess.pid import PID
from master.allocator.messages import Because, ExplainedMessage, ExplainMessage, Explanation
from master.http.endpoints import Endpoints
from mesos.forms import Json
from mesos.ids import AgentID, FrameworkID


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
            known = ", ".join(frameworks) or "none"
            text = f"expected the framework_id of a framework, found '{framework_id}'; there are {known}"
            return HttpResponse.error(404, text)
        if not role and len(framework.info.all_roles) != 1:
            roles = ", ".join(framework.info.all_roles)
            return HttpResponse.error(400, f"expected the role in question, found none; the framework has {roles}")
        role = role or framework.info.all_roles[0]
        agent_id = AgentID(request.argument("agent_id")) or None
        self._questions.append(self.sender)
        self.send(self.allocator, ExplainMessage(framework_id, role, agent_id))
        return None

    def explained(self, message: ExplainedMessage) -> None:
        """See the message."""
        if self.sender != self.allocator:
            self.ignore("only the allocator knows why")
            return
        agents = [self._agent(each) for each in message.explanations]
        answer = {"framework_id": message.framework_id, "role": message.role, "agents": agents}
        self.send(self._questions.popleft(), HttpResponseMessage(HttpResponse.json(answer)))

    def _agent(self, explanation: Explanation) -> Json:
        agent = self.cluster.agents.get(explanation.agent_id)
        return {
            "agent_id": explanation.agent_id,
            "hostname": agent.info.hostname if agent is not None else "",
            "reasons": [_reason(each) for each in explanation.reasons],
        }


def _reason(because: Because) -> Json:
    times = {"since": because.since, "until": because.until}
    known = {name: time for name, time in times.items() if time is not None}
    return {"reason": because.why, "text": because.text, **known}
