"""namespaces/pid, namespaces/ipc: a container sees only its own processes, and its own System V and POSIX queues."""

from __future__ import annotations

from agent.forker import kernel
from agent.forker.plan import Plan
from agent.isolators.filesystem import separate_mounts
from agent.isolators.isolator import Isolator
from agent.ports import ContainerConfig


class PidNamespaceIsolator(Isolator):
    """Gives each container a process namespace, of which the init is process 1, and a /proc to match."""

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        if config.container and config.container.linux_info and config.container.linux_info.share_pid_namespace:
            return
        separate_mounts(plan)
        plan["namespaces"] |= kernel.CLONE_NEWPID
        plan["mounts"].append(("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC, ""))


class IpcNamespaceIsolator(Isolator):
    """Gives each container IPC objects of its own."""

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        plan["namespaces"] = plan.get("namespaces", 0) | kernel.CLONE_NEWIPC
