"""The v1 executor API: POST /api/v1/executor.

The first call subscribes: it spawns an actor that is the executor from then on, and its answer is the stream of events.
Every later call is checked here and handed to that actor.
"""

from __future__ import annotations

from agent.dialogues.reconnection import SUBSCRIPTION
from agent.environment import is_token_of
from agent.http.executor import HttpExecutor
from agent.http.operator_api import OperatorApi
from agent.records.executor import ExecutorRecord
from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.routes import About
from libprocess.http.stream import HttpStream
from mesos.access.gate import EXECUTOR
from mesos.ids import AgentID
from mesos.messages import RegisterExecutorMessage, ReregisterExecutorMessage
from mesos.v1.door import Refusal, accepted_media, invalid, new_stream_id, read_body
from mesos.v1.executor import CALL, Call, read_call
from mesos.v1.schema import takes
from mesos.v1.tree import Misfit

ACCEPTED = HttpResponse(202)


class ExecutorApi(OperatorApi):
    """The agent's door for executors that speak HTTP."""

    def initialize(self) -> None:
        super().initialize()
        self.route("/api/v1/executor", self._executor_call, methods=("POST",), access=EXECUTOR, about=_about_calls)

    def _executor_call(self, request: HttpRequest) -> HttpResponse:
        try:
            call = self._read(request)
            executor = self._executor(call)
            if request.principal is not None and not is_token_of(request.principal, executor):
                raise Refusal(403, f"the token is not that of executor {executor.id}")
            if isinstance(call.message, RegisterExecutorMessage | ReregisterExecutorMessage):
                return self._subscribe(request, executor, call.message)
            return self._pass_on(executor, call)
        except Refusal as refusal:
            return refusal.response

    def _read(self, request: HttpRequest) -> Call:
        _, tree = read_body(request, CALL)
        try:
            return read_call(tree, self.info.id or AgentID(""))
        except Misfit as misfit:
            raise invalid("executor::Call", misfit) from None

    def _executor(self, call: Call) -> ExecutorRecord:
        framework = self.frameworks.get(call.framework_id)
        if framework is None:
            raise Refusal(400, "Framework cannot be found")
        executor = framework.executors.get(call.executor_id)
        if executor is None:
            raise Refusal(400, "Executor cannot be found")
        return executor

    def _subscribe(
        self,
        request: HttpRequest,
        executor: ExecutorRecord,
        message: RegisterExecutorMessage | ReregisterExecutorMessage,
    ) -> HttpResponse:
        media = accepted_media(request)
        stream = self.spawn(HttpStream())
        framework = executor.framework.info
        process = HttpExecutor(self.pid, stream, media, message, executor.info, framework, executor.container_id)
        self.spawn(process, f"{SUBSCRIPTION}{new_stream_id(self.chance)})")
        return HttpResponse.streamed(stream, media)

    def _pass_on(self, executor: ExecutorRecord, call: Call) -> HttpResponse:
        if executor.pid is None or not self._is_over_http(executor.pid):
            raise Refusal(403, "Executor is not subscribed")
        if call.message is not None:  # a heartbeat says no more than that the client is there
            self.send(executor.pid, call.message)
        return ACCEPTED


def _about_calls() -> About:
    return takes(CALL, set(CALL.enum_types_by_name["Type"].values_by_name) - {"UNKNOWN"})
