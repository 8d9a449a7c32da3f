"""The v1 scheduler API: POST /api/v1/scheduler.

The first call subscribes: it spawns an actor that is the scheduler from then on, and its answer is the stream of
events. Every later call names that subscription in a header, is checked here, and handed to the actor. What happens
with it is seen on the stream: its own answer says only that it was taken.
"""

from __future__ import annotations

from msgspec.structs import replace

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.routes import About
from libprocess.http.stream import HttpStream
from libprocess.pid import PID
from master.dialogues.frameworks import Frameworks
from master.http.operator_api import OperatorApi
from master.http.scheduler import HttpScheduler
from master.records import FrameworkRecord
from master.validation.rights import to_register
from mesos.access.gate import SCHEDULER
from mesos.ids import FrameworkID
from mesos.messages import RegisterFrameworkMessage, ReregisterFrameworkMessage, ReviseFrameworkMessage
from mesos.v1.door import STREAM_ID, Refusal, accepted_media, invalid, new_stream_id, read_body
from mesos.v1.scheduler import CALL, Call, read_call
from mesos.v1.schema import takes
from mesos.v1.tree import Misfit

ACCEPTED = HttpResponse(202)
REVISED = HttpResponse()


class SchedulerApi(OperatorApi, Frameworks):
    """The master's door for schedulers that speak HTTP."""

    def serve(self) -> None:
        """See Endpoints."""
        super().serve()
        self.route("/api/v1/scheduler", self._scheduler_call, methods=("POST",), access=SCHEDULER, about=_about_calls)

    def _scheduler_call(self, request: HttpRequest) -> HttpResponse:
        try:
            call = _read(request)
            if isinstance(call.message, RegisterFrameworkMessage | ReregisterFrameworkMessage):
                return self._subscribe(request, self._of_its_principal(call.message))
            return self._pass_on(request, call)
        except Refusal as refusal:
            return refusal.response

    def _of_its_principal(
        self, message: RegisterFrameworkMessage | ReregisterFrameworkMessage
    ) -> RegisterFrameworkMessage | ReregisterFrameworkMessage:
        """The registration with the principal that was proved. Refusal if it claims another one."""
        proved, claimed = self.asker, message.framework.principal
        if proved is None or proved == claimed:
            return message
        if claimed:
            raise Refusal(403, f"Framework principal '{claimed}' does not match authenticated principal '{proved}'")
        return replace(message, framework=replace(message.framework, principal=proved))

    def _subscribe(
        self, request: HttpRequest, message: RegisterFrameworkMessage | ReregisterFrameworkMessage
    ) -> HttpResponse:
        media = accepted_media(request)
        if request.header(STREAM_ID):
            raise Refusal(400, f"Subscribe calls should not include the '{STREAM_ID}' header")
        id_ = new_stream_id(self.chance)
        stream = self.spawn(HttpStream())
        self.spawn(HttpScheduler(self.pid, stream, media, message), _actor_id(id_))
        return HttpResponse.streamed(stream, media, ((STREAM_ID, id_),))

    def _pass_on(self, request: HttpRequest, call: Call) -> HttpResponse:
        framework, scheduler = self._subscription(request, call.framework_id or FrameworkID(""))
        if call.message is None:
            raise Refusal(501, f"501 Not Implemented. This master does not know the call {call.type}.")
        if isinstance(call.message, ReviseFrameworkMessage):
            self._check_revision(framework, call.message)
        self.send(scheduler, call.message)
        return REVISED if isinstance(call.message, ReviseFrameworkMessage) else ACCEPTED

    def _check_revision(self, framework: FrameworkRecord, message: ReviseFrameworkMessage) -> None:
        """Refusal of what a framework cannot become; it stays what it is."""
        wrong = self.check_revision(framework, message)
        if wrong is not None:
            raise Refusal(400, wrong)
        forbidden = self.forbidden(*to_register(message.framework))
        if forbidden is not None:
            raise Refusal(forbidden.status, forbidden.body.decode())

    def _subscription(self, request: HttpRequest, framework_id: FrameworkID) -> tuple[FrameworkRecord, PID]:
        """The framework that a call speaks for, and its actor. Refusal unless the call comes from its client."""
        framework = self.cluster.frameworks.get(framework_id)
        if framework is None:
            raise Refusal(400, "Framework cannot be found")
        if not framework.connected or framework.pid is None:
            raise Refusal(403, "Framework is not subscribed")
        if self.asker is not None and self.asker != framework.info.principal:
            raise Refusal(403, f"Framework '{framework_id}' is not of principal '{self.asker}'")
        id_ = request.header(STREAM_ID)
        if not id_:
            raise Refusal(400, f"All non-subscribe calls should include the '{STREAM_ID}' header")
        if framework.pid != PID(_actor_id(id_), *self.pid.address):
            raise Refusal(
                400,
                f"The stream ID '{id_}' included in this request didn't match the stream ID currently associated "
                f"with framework ID '{framework_id}'",
            )
        return framework, framework.pid


def _read(request: HttpRequest) -> Call:
    _, tree = read_body(request, CALL)
    try:
        return read_call(tree)
    except Misfit as misfit:
        raise invalid("scheduler::Call", misfit) from None


def _about_calls() -> About:
    types = CALL.enum_types_by_name["Type"].values_by_name
    return takes(CALL, set(types) - {"UNKNOWN"})


def _actor_id(stream_id: str) -> str:
    """A subscription's actor is called by its stream's id: what a call must know is where it is sent to."""
    return f"http-scheduler({stream_id})"
