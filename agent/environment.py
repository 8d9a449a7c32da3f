"""What a container of the agent is started with: its command line and its variables."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from agent.flags import AgentFlags
from agent.paths import volume
from agent.ports import ContainerConfig, VolumeMount
from agent.records.executor import ExecutorRecord
from libprocess.http import Principal
from libprocess.http.authentication import make_token
from libprocess.http.tls import handed_on
from libprocess.pid import PID
from libprocess.tracing import VARIABLE, for_child
from libprocess.units import format_duration
from mesos.conversions import is_volume
from mesos.ids import ExecutorID, FrameworkID
from mesos.resources import Resources, VolumeMode
from mesos.types import AgentInfo, CommandInfo, Environment, ExecutorInfo, TaskInfo

_OURS = ("MESOS_", "LIBPROCESS_")
_SHOWN_CHARACTERS = 15


def inherited(environ: Mapping[str, str]) -> Environment:
    """What every container gets of the agent's environment: all but its settings; if it is traced, whom to believe."""
    others = {name: value for name, value in environ.items() if name == VARIABLE or not name.startswith(_OURS)}
    return Environment.of(others | handed_on(environ))


def command_executor_info(task: TaskInfo, framework_id: FrameworkID) -> ExecutorInfo:
    """The executor of a task that is a command. It asks for nothing: the task's container is all there is."""
    command = task.command or CommandInfo()
    line = f"sh -c '{command.value}'" if command.shell else " ".join(command.arguments or (command.value,))
    shown = line if len(line) <= _SHOWN_CHARACTERS else line[:_SHOWN_CHARACTERS] + "..."
    return ExecutorInfo(
        executor_id=ExecutorID(task.task_id),
        command=command,
        framework_id=framework_id,
        name=f"Command Executor (Task: {task.task_id}) (Command: {shown})",
        labels=task.labels,
    )


def container_environment(
    base: Environment, executor: ExecutorRecord, agent: PID, info: AgentInfo, flags: AgentFlags
) -> Environment:
    """What every container gets, and what an executor needs to find its agent and to know itself."""
    grace_seconds = shutdown_grace_seconds(executor.info, flags)
    variables = {
        "LIBPROCESS_PORT": "0",
        "MESOS_AGENT_ENDPOINT": f"{agent.host}:{info.port}",
        "MESOS_CHECKPOINT": "1" if executor.framework.is_kept else "0",
        "MESOS_DIRECTORY": executor.directory,
        "MESOS_EXECUTOR_ID": executor.id,
        "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": format_duration(grace_seconds),
        "MESOS_RECOVERY_TIMEOUT": format_duration(flags.recovery_timeout_seconds),
        "MESOS_SUBSCRIPTION_BACKOFF_MAX": format_duration(flags.executor_reregistration_timeout_seconds),
        "MESOS_FRAMEWORK_ID": executor.framework.id,
        "MESOS_SANDBOX": executor.directory,
        "MESOS_SLAVE_ID": info.id or "",
        "MESOS_SLAVE_PID": str(agent),
    }
    traced = next((variable.value for variable in base.variables if variable.name == VARIABLE), None)
    if traced is not None:
        variables[VARIABLE] = for_child(traced, f"{executor.directory}/traces")
    return Environment(base.variables + Environment.of(variables).variables)


def with_token(environment: Environment, executor: ExecutorRecord, key: bytes) -> Environment:
    """What an executor proves with, over HTTP, that it is this one."""
    claims = {"fid": executor.framework.id, "eid": executor.id, "cid": executor.container_id}
    return with_variable(environment, "MESOS_EXECUTOR_AUTHENTICATION_TOKEN", make_token(claims, key))


def with_variable(environment: Environment, name: str, value: str) -> Environment:
    """One variable more."""
    return Environment(environment.variables + Environment.of({name: value}).variables)


def is_token_of(principal: Principal, executor: ExecutorRecord) -> bool:
    """Whether it is that executor's token that was shown."""
    expected = (executor.framework.id, executor.id, executor.container_id)
    return tuple(map(principal.claim, ("fid", "eid", "cid"))) == expected


def shutdown_grace_seconds(info: ExecutorInfo, flags: AgentFlags) -> float:
    """How long an executor may take to shut down."""
    own = info.shutdown_grace_period_seconds
    return flags.executor_shutdown_grace_period_seconds if own is None else own


def volume_mounts(work_dir: str, resources: Resources) -> tuple[VolumeMount, ...]:
    """The persistent volumes among resources, where they are to appear."""
    return tuple(
        VolumeMount(volume(work_dir, kind), kind.disk.volume.container_path, kind.disk.volume.mode is VolumeMode.RO)
        for kind, _ in resources.items
        if is_volume(kind) and kind.disk is not None and kind.disk.volume is not None
    )


def executor_config(executor: ExecutorRecord, environment: Environment, work_dir: str) -> ContainerConfig:
    """The container of a framework's own executor."""
    return ContainerConfig(
        container_id=executor.container_id,
        command=_with_user(executor.info.command or CommandInfo(), executor.framework.info.user),
        directory=executor.directory,
        environment=environment,
        resources=executor.resources,
        limits=executor.limits,
        container=executor.info.container,
        lives_on=executor.framework.is_kept,
        volumes=volume_mounts(work_dir, executor.resources),
    )


def task_config(executor: ExecutorRecord, task: TaskInfo, environment: Environment, work_dir: str) -> ContainerConfig:
    """The container of a task that is a command."""
    return ContainerConfig(
        container_id=executor.container_id,
        command=_with_user(task.command or CommandInfo(), executor.framework.info.user),
        directory=executor.directory,
        environment=environment,
        resources=task.resources,
        limits=task.limits,
        container=task.container,
        lives_on=executor.framework.is_kept,
        volumes=volume_mounts(work_dir, task.resources),
    )


def _with_user(command: CommandInfo, user: str) -> CommandInfo:
    return command if command.user else replace(command, user=user)
