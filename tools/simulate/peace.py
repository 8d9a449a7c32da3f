"""Peace: scheduler, master, agent and machine say the same of every task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from mesos.types import TaskState

if TYPE_CHECKING:
    from master.master import Master
    from tools.simulate.story import Story

Tasks: TypeAlias = dict[tuple[str, str], TaskState]
"""By framework and task: those that have not ended, and their states."""

OUT_OF_SIGHT = {TaskState.TASK_UNREACHABLE, TaskState.TASK_UNKNOWN, TaskState.TASK_LOST}


def disagreements(story: Story) -> list[str]:
    """What keeps the cluster from being at peace, in words; empty if nothing does."""
    views = {
        "its scheduler": _schedulers_view(story),
        "the master": _masters_view(story),
        "its agent": _agents_view(story),
        "its machine": _machines_view(story),
    }
    keys = sorted({key for view in views.values() for key in view})
    found = [_told(key, views) for key in keys if len({view.get(key) for view in views.values()}) > 1]
    moving = [
        f"task {key[1]} is in {state}"
        for key, state in views["its scheduler"].items()
        if state != TaskState.TASK_RUNNING
    ]
    return found + moving + list(_unfinished(story))


def _told(key: tuple[str, str], views: dict[str, Tasks]) -> str:
    states = ", ".join(f"{view.get(key, 'nothing')} to {who}" for who, view in views.items())
    return f"task {key[1]} is {states}"


def _unfinished(story: Story) -> Iterator[str]:
    """Business that is going on. Of a framework that ended, agents may hold updates that nobody will ever take."""
    if not story.cluster.masters:
        yield "nobody leads"
    for master in story.cluster.masters:
        if story.cluster.registry.unanswered is story.cluster.node_of(master):
            yield f"{master.pid} waits for the registry in vain"
        for agent_id in sorted({*master.cluster.orders, *story.cluster.registry.deactivated()}):
            yield f"agent {agent_id} is not offered, for an operator's sake"  # which is called off in time
        yield from _miscounted(story, master)
    living = {framework.ledger.id for framework in story.frameworks if not framework.is_over}
    for agent in story.cluster.agents:
        if agent.state != "REGISTERED":
            yield f"{agent.pid} is {agent.state}"
        for framework_id, task_id in agent.streams:
            if framework_id in living:
                yield f"{agent.pid} has unacknowledged updates of task {task_id} of framework {framework_id}"


def _miscounted(story: Story, master: Master) -> Iterator[str]:
    """Agents of which a master does not know what they have."""
    for agent in story.cluster.agents:
        record = master.cluster.agent_at(agent.pid)
        if record is not None and record.total != agent.lasting.total:
            yield f"{agent.pid} has {agent.lasting.total}, and {record.total} to the master"


def _schedulers_view(story: Story) -> Tasks:
    """What it takes for running; a task that is out of reach or unknown may also be gone for good with its machine."""
    return {
        (str(framework.ledger.id), task_id): fate.state
        for framework in story.frameworks
        if not framework.is_over
        for task_id, fate in framework.ledger.open.items()
        if fate.state not in OUT_OF_SIGHT
    }


def _masters_view(story: Story) -> Tasks:
    return {
        (framework.id, task.task_id): task.state
        for master in story.cluster.masters
        for framework in master.cluster.frameworks.values()
        for task in framework.tasks.values()
        if not task.ended
    }


def _agents_view(story: Story) -> Tasks:
    return {
        (task.executor.framework.id, task.id): task.state
        for agent in story.cluster.agents
        for task in agent.frameworks.tasks()
        if not task.is_terminal
    }


def _machines_view(story: Story) -> Tasks:
    """What runs, runs."""
    view: Tasks = {}
    for containers in story.cluster.containers.values():
        for container in containers.living.values():
            view[container.key] = TaskState.TASK_RUNNING if container.runs else TaskState.TASK_STARTING
    return view
