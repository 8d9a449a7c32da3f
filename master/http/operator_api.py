"""The v1 operator API of the master: POST /api/v1, or any path below that is no other API's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.exchange import HttpResponseMessage, to_json
from libprocess.http.files import Files, NoDisk, Scope
from libprocess.http.routes import About, form
from libprocess.http.stream import HttpStream
from libprocess.http.verbosity import LOGGING, verbosity
from libprocess.pid import PID
from libprocess.version import VERSION
from master.http import trees
from master.http.adoption import Adoption
from master.http.event_stream import HEARTBEAT_SECONDS, EventStream, OperatorEventMessage, OperatorSubscribeMessage
from master.http.quota_forms import write_config, write_info
from master.http.reading import PIECES_PER_TURN
from master.http.sight import needs_of
from master.http.snapshot import v1
from master.http.watched import WatchedCluster
from mesos.access.acls import Need
from mesos.ids import FrameworkID
from mesos.messages import FrameworkErrorMessage
from mesos.types import MasterInfo
from mesos.v1.door import Refusal, accepted_media, invalid, read_body
from mesos.v1.faces import CODECS
from mesos.v1.files import FILE_CALLS, file_work
from mesos.v1.log_level import read_log_level
from mesos.v1.media import Media
from mesos.v1.proto import message
from mesos.v1.schema import takes
from mesos.v1.tree import Tree

CALL = message("master.Call")
RESPONSE = message("master.Response")
LAST_EVENT = "Last-Event-Id"
NEEDS: dict[str, tuple[Need, ...]] = {
    "GET_FLAGS": (("view_flags", None),),
    "GET_METRICS": (("get_endpoints", "/metrics/snapshot"),),
    "SET_LOGGING_LEVEL": (("set_log_level", None),),
    "GET_MAINTENANCE_SCHEDULE": (("get_maintenance_schedules", None),),
    "GET_MAINTENANCE_STATUS": (("get_maintenance_statuses", None),),
    "LIST_FILES": (("access_mesos_logs", None),),
    "READ_FILE": (("access_mesos_logs", None),),
}
"""What calls need of whoever makes them, beside what it is they are about: that is looked at where it is known."""

TORN_DOWN = "Framework has been removed: an operator tore it down"

_WITHOUT_BODY = frozenset(
    {name for name in CALL.enum_types_by_name["Type"].values_by_name if name.lower() not in CALL.fields_by_name}
    | {"SUBSCRIBE"}
)
"""Calls that say everything by their type."""


class OperatorApi(Adoption):
    """The master's door for operators."""

    events: PID | None = None
    sequence = 0
    """Of the last event for operators."""

    def serve(self) -> None:
        """See Endpoints."""
        super().serve()
        self.route("/teardown", self._teardown_form, methods=("POST",), about=form(frameworkId="whom to tear down"))
        self.operator_calls: dict[str, Callable[[Tree], Tree]] = {
            "GET_HEALTH": lambda call: {"healthy": True},
            "GET_FLAGS": self._get_flags,
            "GET_VERSION": lambda call: {"version_info": {"version": VERSION}},
            "GET_METRICS": self._get_metrics,
            "GET_LOGGING_LEVEL": lambda call: {"level": verbosity()},
            "GET_STATE": lambda call: trees.state(self.seen),
            "GET_AGENTS": lambda call: trees.agents(self.seen),
            "GET_FRAMEWORKS": lambda call: trees.frameworks(self.seen),
            "GET_EXECUTORS": lambda call: trees.executors(self.seen),
            "GET_OPERATIONS": lambda call: trees.operations(self.seen),
            "GET_TASKS": lambda call: trees.tasks(self.seen),
            "GET_ROLES": lambda call: trees.roles(self.seen, self.sight.role),
            "GET_WEIGHTS": self._get_weights,
            "GET_MASTER": self._get_master,
            "GET_QUOTA": self._get_quota,
        }
        self.operator_orders: dict[str, Callable[[Tree, HttpRequest], HttpResponse | None]] = {
            "SUBSCRIBE": lambda call, request: self._subscribe_operator(request),
            "TEARDOWN": lambda call, request: self._tear_down(FrameworkID(call["teardown"]["framework_id"]["value"])),
            "SET_LOGGING_LEVEL": self._set_logging_level,
            **dict.fromkeys(FILE_CALLS, self._show_file),
        }
        self.route("/api/v1/*", self._operator_call, methods=("POST",), about=self._about_calls)
        self._files = NoDisk(self._runtime)
        self.files = self.spawn(Files(self._files, ()), "files")

    def _about_calls(self) -> About:
        return takes(CALL, (*self.operator_calls, *self.operator_orders), RESPONSE)

    operator_orders: dict[str, Callable[[Tree, HttpRequest], HttpResponse | None]]
    """Calls that change something or take their time, and what answers them."""

    def _operator_call(self, request: HttpRequest) -> HttpResponse | None:
        try:
            _, call = read_body(request, CALL)
            type_ = _type_of(call)
            if type_ not in self.operator_calls and type_ not in self.operator_orders:
                raise Refusal(501, f"501 Not Implemented. This master does not know the call {type_}.")
            forbidden = self.forbidden(*NEEDS.get(type_, ()))
            if forbidden is not None:
                return forbidden
            if type_ in self.operator_orders:
                return self.operator_orders[type_](call, request)
            media = accepted_media(request)
            if type_ in v1.ANSWERS and media is Media.JSON and self.seen is self.cluster:
                expected = partial(len, self.cluster.recovered)
                return self.read_whole(type_, request, v1.SHAPES, partial(v1.answer, type_), expected)
            answer = {"type": type_, type_.lower(): self.operator_calls[type_](call)}
            return HttpResponse(200, media.write(answer, RESPONSE), media)
        except Refusal as refusal:
            return refusal.response

    # Answers.

    def _get_flags(self, call: Tree) -> Tree:
        return {"flags": [{"name": name, "value": value} for name, value in self.flags.as_dict().items()]}

    def _get_metrics(self, call: Tree) -> Tree:
        numbers = sorted(self.metrics.snapshot().items())
        return {"metrics": [{"name": name, "value": float(value)} for name, value in numbers]}

    def _get_weights(self, call: Tree) -> Tree:
        infos = [{"weight": weight, "role": role} for role, weight in self.seen.roles.weights.items()]
        return {"weight_infos": infos} if infos else {}

    def _get_quota(self, call: Tree) -> Tree:
        quotas = [quota for role, quota in sorted(self.seen.roles.quotas.items())]
        shown = {"infos": list(map(write_info, quotas)), "configs": list(map(write_config, quotas))}
        return {"status": {name: rows for name, rows in shown.items() if rows}}

    def _get_master(self, call: Tree) -> Tree:
        info = CODECS[MasterInfo].write(self.info)
        return {"master_info": info, "start_time": self.started, "elected_time": self.started}

    # What its node does.

    def _set_logging_level(self, call: Tree, request: HttpRequest) -> HttpResponse:
        self.send(PID(LOGGING, *self.pid.address), read_log_level(call["set_logging_level"]))
        return HttpResponse()

    def _show_file(self, call: Tree, request: HttpRequest) -> None:
        """A master has no files to show, and says so of each."""
        self._files.later(file_work(call, accepted_media(request), RESPONSE, Scope(()), {}), self.sender)

    # Tearing down.

    def _teardown_form(self, request: HttpRequest) -> HttpResponse | None:
        """The older way to say it: a form."""
        try:
            framework_id = request.form("frameworkId")
            if not framework_id:
                raise Refusal(400, "Missing 'frameworkId' query parameter")
            return self._tear_down(FrameworkID(framework_id))
        except Refusal as refusal:
            return refusal.response

    def _tear_down(self, framework_id: FrameworkID) -> HttpResponse | None:
        """Answered when it is written down, so that no later master takes it back."""
        framework = self.cluster.frameworks.get(framework_id)
        if framework is None:
            raise Refusal(400, "No framework found with specified ID")
        forbidden = self.forbidden(("teardown_frameworks", framework.info.principal or None))
        if forbidden is not None:
            return forbidden
        if framework_id in self.ending:
            return HttpResponse.error(409, f"framework {framework_id} is being ended just now; try again")
        scheduler = framework.pid if framework.connected else None
        self.remove_framework(framework, "an operator tore it down", partial(self._torn_down, scheduler, self.sender))
        return None

    def _torn_down(self, scheduler: PID | None, asker: PID) -> None:
        """It is written down."""
        if scheduler is not None:
            self.send(scheduler, FrameworkErrorMessage(TORN_DOWN))
        self.send(asker, HttpResponseMessage(HttpResponse()))

    # Events.

    def _subscribe_operator(self, request: HttpRequest) -> HttpResponse | None:
        media, asker, principal = accepted_media(request), self.sender, self.asker
        if self.events is None:
            self.events = self.spawn(EventStream(self.flags.rights), "events")
            assert isinstance(self.cluster, WatchedCluster)
            self.cluster.watch = self._publish
        last = request.header(LAST_EVENT)
        last_had = int(last) if last.isdecimal() and len(last) < 19 else None

        def subscribe(state: Iterable[bytes]) -> HttpResponse:
            assert self.events is not None
            stream = self.spawn(HttpStream())
            begins = b"".join((SUBSCRIBED, *state, _ending(self.sequence)))
            self.send(self.events, OperatorSubscribeMessage(stream, media, begins, last_had, principal))
            return HttpResponse.streamed(stream, media)

        if self.seen is not self.cluster:
            return subscribe((to_json(trees.state(self.seen)),))
        snapshot = self.snapshot(v1.SHAPES)
        if snapshot.refresh(PIECES_PER_TURN):
            return subscribe(v1.state(snapshot))
        self.when_fresh(snapshot, lambda: self.send(asker, HttpResponseMessage(subscribe(v1.state(snapshot)))))
        return None

    def _publish(self, event: Tree) -> None:
        self.sequence += 1
        assert self.events is not None
        body = to_json({**event, "sequence": self.sequence})
        self.send(self.events, OperatorEventMessage(self.sequence, body, needs_of(event, self.cluster)))


SUBSCRIBED = b'{"type":"SUBSCRIBED","subscribed":{"get_state":'


def _ending(sequence: int) -> bytes:
    return f',"heartbeat_interval_seconds":{HEARTBEAT_SECONDS}}},"sequence":{sequence}}}'.encode()


def _type_of(call: Tree) -> str:
    type_: str = call.get("type", "UNKNOWN")
    if type_ == "UNKNOWN":
        raise invalid("master::Call", "Expecting 'type' to be present")
    if type_ not in _WITHOUT_BODY and type_.lower() not in call:
        raise invalid("master::Call", f"Expecting '{type_.lower()}' to be present")
    return type_
