"""filesystem/linux: what a container mounts is its own affair, and nobody else sees it."""

from __future__ import annotations

from agent.forker import kernel
from agent.forker.plan import Plan
from agent.isolators.isolator import Isolator
from agent.ports import ContainerConfig


def separate_mounts(plan: Plan) -> None:
    """Have what the plan mounts from here on be seen by the container only. Fine twice."""
    if "mounts" not in plan:
        plan["namespaces"] = plan.get("namespaces", 0) | kernel.CLONE_NEWNS
        plan["mounts"] = [("", "/", "", kernel.MS_REC | kernel.MS_SLAVE, "")]


class FilesystemIsolator(Isolator):
    """Gives each container a mount namespace, into which the host's mounts still come, and out of which none go."""

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        separate_mounts(plan)
