"""Which containerizer runs a container, and what is refused rather than run as something else."""

from __future__ import annotations

import pytest

from agent.containerizer.composing import Choice, ComposingContainerizer
from agent.containerizer.support import check
from agent.isolators.isolator import ContainerError
from agent.ports import ContainerConfig
from mesos.ids import ContainerID
from mesos.types import (
    CommandInfo,
    ContainerInfo,
    ContainerType,
    Image,
    LinuxInfo,
    MesosInfo,
    Reason,
    RLimit,
    TaskState,
    TTYInfo,
    Volume,
    VolumeSource,
    VolumeSourceType,
)
from tests.agent.cluster import Cluster, command_task

MESOS, DOCKER = ContainerType.MESOS, ContainerType.DOCKER


def compose(cluster: Cluster) -> None:
    """Let the agent's only containerizer be one that runs containers of the type MESOS."""
    choices = {"mesos": Choice(cluster.machine, frozenset({MESOS}))}
    cluster.agent.containerizer = ComposingContainerizer(cluster.node, choices)


def test_a_container_goes_to_the_containerizer_of_its_type(cluster: Cluster):
    compose(cluster)
    cluster.run(command_task("t1"), command_task("t2", container=ContainerInfo(MESOS)))
    assert len(cluster.machine.running) == 2

    cluster.machine.end()
    cluster.world.settle()
    assert cluster.master.status.state is TaskState.TASK_FINISHED


def test_a_type_that_nobody_runs_is_refused(cluster: Cluster):
    compose(cluster)
    cluster.run(command_task(container=ContainerInfo(DOCKER)))

    assert cluster.machine.running == []
    status = cluster.master.status
    assert (status.state, status.reason) == (TaskState.TASK_FAILED, Reason.REASON_CONTAINER_LAUNCH_FAILED)
    assert status.message == "no containerizer of this agent runs containers of the type DOCKER; it has mesos"


def refusal(container: ContainerInfo, *isolators: str) -> str:
    config = ContainerConfig(ContainerID("c"), CommandInfo("true"), "/sandbox", container=container)
    with pytest.raises(ContainerError) as raised:
        check(config, isolators)
    return str(raised.value)


@pytest.mark.parametrize(
    ("container", "text"),
    [
        (
            ContainerInfo(MESOS, mesos=MesosInfo(Image("debian"))),
            "the container asks for an image, and this agent has no images",
        ),
        (
            ContainerInfo(MESOS, tty_info=TTYInfo()),
            "the container asks for a terminal, and this agent has none",
        ),
        (
            ContainerInfo(MESOS, volumes=(Volume("/v", source=VolumeSource(VolumeSourceType.SECRET)),)),
            "the volume /v is a SECRET, which this agent cannot mount",
        ),
        (
            ContainerInfo(MESOS, volumes=(Volume("/v", host_path="/data"),)),
            "the volume /v takes an agent with --isolation=volume/host_path",
        ),
        (
            ContainerInfo(MESOS, rlimits=(RLimit("RLMT_CORE"),)),
            "the container asks for rlimits, and this agent runs without --isolation=posix/rlimits",
        ),
        (
            ContainerInfo(MESOS, linux_info=LinuxInfo(effective_capabilities=())),
            "the container asks for capabilities, and this agent runs without --isolation=linux/capabilities",
        ),
    ],
)
def test_what_an_agent_cannot_do_is_told(container: ContainerInfo, text: str):
    assert refusal(container) == text


def test_what_it_can_do_is_done():
    container = ContainerInfo(MESOS, volumes=(Volume("/v", host_path="/data"),), rlimits=(RLimit("RLMT_CORE"),))
    config = ContainerConfig(ContainerID("c"), CommandInfo("true"), "/sandbox", container=container)
    check(config, ("volume/host_path", "posix/rlimits"))
