"""Fixtures of the master's tests."""

from __future__ import annotations

import pytest

from mesos.types import TaskInfo, TaskState
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, task_on


@pytest.fixture
def scene() -> Scene:
    """A master with the default flags, and nobody else yet."""
    return Scene()


@pytest.fixture
def agent(scene: Scene) -> AgentPeer:
    """A registered agent with cpus:4;mem:4096."""
    return scene.agent().register()


@pytest.fixture
def scheduler(scene: Scene, agent: AgentPeer) -> SchedulerPeer:
    """A registered scheduler that was offered all that the agent has."""
    return scene.scheduler().register()


@pytest.fixture
def task(agent: AgentPeer, scheduler: SchedulerPeer) -> TaskInfo:
    """A task that runs on that agent; what it leaves over is on offer again."""
    task = task_on(scheduler.offer())
    scheduler.launch(task, refuse_seconds=0.0)
    agent.update(task, TaskState.TASK_RUNNING)
    return task
