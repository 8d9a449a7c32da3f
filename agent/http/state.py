"""Everything on one agent as JSON: /state."""

from __future__ import annotations

from agent.dialogues.base import AgentBase
from agent.dialogues.registration import CAPABILITIES
from agent.records.executor import ExecutorRecord
from agent.records.framework import FrameworkRecord, Frameworks
from agent.records.task import TaskRecord
from libprocess.version import VERSION
from mesos.forms import Json, attributes, labels, resources, resources_by_role, web_pid
from mesos.forms import task as task_form
from mesos.resources import Resources
from mesos.types import FrameworkCapability
from mesos.v1.resources import full_resources


def version() -> Json:
    """What /version says."""
    return {"version": VERSION}


def state(agent: AgentBase, frameworks: Frameworks, started: float) -> Json:
    """What /state says to whoever may see these frameworks."""
    total = agent.lasting.total
    used = Resources.sum(executor.resources for executor in agent.frameworks.executors()).unallocate()
    return version() | {
        "start_time": started,
        "id": agent.info.id or "",
        "pid": web_pid(agent.pid, agent.info.port),
        "actor_pid": str(agent.pid),
        "hostname": agent.info.hostname,
        "resources": resources(total),
        "reserved_resources": resources_by_role(total),
        "unreserved_resources": resources(total.unreserved()),
        "reserved_resources_full": {role: full_resources(total.reserved(role)) for role in resources_by_role(total)},
        "unreserved_resources_full": full_resources(total.unreserved()),
        "reserved_resources_allocated": resources_by_role(used),
        "unreserved_resources_allocated": resources(used.unreserved()),
        "attributes": attributes(agent.info.attributes),
        "capabilities": list(CAPABILITIES),
        "master_hostname": agent.master.hostname if agent.master else "",
        "flags": agent.flags.as_dict(),
        "frameworks": [framework(each) for each in frameworks],
        "completed_frameworks": [framework(each) for each in frameworks.completed],
    }


def framework(record: FrameworkRecord) -> Json:
    """A framework with its executors on this agent, those that ended too."""
    info = record.info
    many = FrameworkCapability.MULTI_ROLE in info.capabilities
    ended = (*record.owing.values(), *record.completed_executors)
    return {
        "id": record.id,
        "name": info.name,
        "user": info.user,
        "failover_timeout": info.failover_timeout_seconds,
        "checkpoint": info.checkpoint,
        "hostname": info.hostname,
        **({"roles": list(info.roles)} if many else {"role": info.role}),
        "executors": [executor(each) for each in record.executors.values()],
        "completed_executors": [executor(each) for each in ended],
    }


def executor(record: ExecutorRecord) -> Json:
    """An executor with its tasks."""
    shown: Json = {
        "id": record.id,
        "name": record.info.name,
        "source": record.id if record.is_command else "",
        "container": record.container_id,
        "directory": record.directory,
        "resources": resources(record.resources),
        "role": _role(record.resources),
        **({} if record.is_command else {"type": record.info.type}),
        "tasks": [_task(each) for each in record.tasks.values() if not each.is_queued],
        "queued_tasks": [_task(each) for each in record.queued()],
        "completed_tasks": [_task(each) for each in record.completed_tasks],
    }
    return shown | ({"labels": labels(record.info.labels)} if record.info.labels else {})


def _task(record: TaskRecord) -> Json:
    return task_form(record.report(), _role(record.info.resources))


def _role(of: Resources) -> str:
    return next((resource.kind.allocated_to for resource in of), "")
