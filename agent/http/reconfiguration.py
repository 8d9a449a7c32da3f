"""POST /reconfigure: an agent gets more or less to give, or is told other facts about its machine; all its tasks go on.

What they use and what is reserved it must keep. It then says anew what it is, as after a lost link: the master rescinds
what it had offered of it, and offers it again.
"""

from __future__ import annotations

from msgspec.structs import replace

from agent.checkpoints.identity import remember_agent
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
            total = self._total_of(given)
        except ValueError as error:
            return HttpResponse.error(409, str(error))
        self.has_shrunk = self.has_shrunk or not total.contains(self.lasting.total)
        self.lasting.total, info = total, given
        self.info = info
        remember_agent(self.storage, info)
        log.info(
            "this agent has %s and %s from now on", info.resources, format_attributes(info.attributes) or "nothing"
        )
        self._tell_master(self._reregistration())
        self._look_soon()
        shown = {"resources": str(info.resources), "attributes": format_attributes(info.attributes)}
        return HttpResponse.json({"id": info.id, **shown})

    def _total_of(self, given: AgentInfo) -> Resources:
        """What there would be in all; ValueError says what it is too little for."""
        total = self.lasting.given(given.resources)
        used = Resources.sum(executor.resources for executor in self.containers.values())
        if not self._fits(used, total):
            text = f"what runs here may use {used.unallocate()}, and that is not in {total}"
            raise ValueError(f"{text}; drain the agent first, or take less away")
        return total

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
