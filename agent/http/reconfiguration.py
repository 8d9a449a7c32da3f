"""POST /reconfigure: an agent gets more to give, or is told other facts about its machine, and all its tasks go on.

It then says anew what it is, as after a lost link: the master rescinds what it had offered of it, and offers it again.
"""

from __future__ import annotations

from msgspec.structs import replace

from agent.checkpoints.identity import reconfigured, remember_agent
from agent.dialogues.base import AgentState, log
from agent.http.endpoints import Endpoints
from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.routes import form
from mesos.attributes import format_attributes, parse_attributes
from mesos.resources import Resources
from mesos.resources.text import parse_resources
from mesos.types import AgentInfo


class Reconfiguration(Endpoints):
    """The agent's door for who changes what it is."""

    def initialize(self) -> None:
        super().initialize()
        fields = {"resources": "what it has of each kind that is named", "attributes": "all that it has from now on"}
        self.route("/reconfigure", self._reconfigure, methods=("POST",), about=form(**fields))

    def _reconfigure(self, request: HttpRequest) -> HttpResponse:
        forbidden = self.forbidden(("register_agents", None))
        if forbidden is not None:
            return forbidden
        if self.state is not AgentState.REGISTERED:
            return HttpResponse.error(503, f"the agent is {self.state}; try again when it is registered")
        try:
            given = self._given(request)
        except ValueError as error:
            return HttpResponse.error(400, str(error))
        try:
            info = reconfigured(replace(self.info, attributes=()), given, "additive")
            self.lasting.extend(info.resources)
        except ValueError as error:
            return HttpResponse.error(409, f"{error}; to take something away, drain the agent and start it anew")
        self.info = info
        remember_agent(self.storage, info)
        log.info(
            "this agent has %s and %s from now on", info.resources, format_attributes(info.attributes) or "nothing"
        )
        self._tell_master(self._reregistration())
        shown = {"resources": str(info.resources), "attributes": format_attributes(info.attributes)}
        return HttpResponse.json({"id": info.id, **shown})

    def _given(self, request: HttpRequest) -> AgentInfo:
        """What the agent is to be; what is not spoken of stays as it is. ValueError says what cannot be read."""
        text, absent = request.form("resources"), "\0"
        info = self.info
        if text:
            named = parse_resources(text, self.flags.default_role)
            names = {resource.name for resource in named}
            rest = info.resources.filter(lambda kind: kind.name not in names)
            info = replace(info, resources=Resources.of(*named, *rest))
        attributes = request.form("attributes", absent)
        return info if attributes == absent else replace(info, attributes=parse_attributes(attributes))
