"""What a scheduler hears of a task that takes more than it asked for, on a real kernel."""

from __future__ import annotations

from pathlib import Path

from mesos.resources import Resources
from mesos.types import Reason, TaskState
from tests.system.containers import needs_root
from tests.system.framework import Framework
from tools.local.cluster import LocalCluster

QUOTA = ("--enforce_container_disk_quota", "--container_disk_watch_interval=50ms")


@needs_root
def test_a_task_that_takes_too_much_fails_and_its_scheduler_hears_of_what_and_how_much(tmp_path: Path):
    with (
        LocalCluster(tmp_path, agents=1, resources="cpus:2;mem:512;disk:512", agent_flags=QUOTA) as cluster,
        Framework(cluster.address) as framework,
    ):
        framework.run("memory", "head -c 200m /dev/zero | tail", "cpus:0.1;mem:64")
        framework.run("disk", "head -c 20000000 /dev/urandom > file; sleep 300", "cpus:0.1;mem:64;disk:10")
        memory = framework.wait_for("memory", TaskState.TASK_FAILED)
        disk = framework.wait_for("disk", TaskState.TASK_FAILED)

    assert memory.reason is Reason.REASON_CONTAINER_LIMITATION_MEMORY
    assert memory.message.startswith("memory limit exceeded: 64MB are allowed, and ")
    assert memory.message.endswith("B were used")
    assert memory.limitation
    assert memory.limitation.resources == Resources.of(mem=64)
    assert disk.reason is Reason.REASON_CONTAINER_LIMITATION_DISK
    assert disk.message.startswith("disk limit exceeded: 10MB are allowed, and ")
