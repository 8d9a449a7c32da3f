"""posix/rlimits: limits of POSIX on each process of a container, such as open files and core dumps."""

from __future__ import annotations

import resource

from agent.forker.plan import Plan
from agent.isolators.isolator import ContainerError, Isolator
from agent.ports import ContainerConfig
from mesos.types import RLimit

PREFIX = "RLMT_"


class RlimitsIsolator(Isolator):
    """Sets the limits that a container asks for."""

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        if config.container and config.container.rlimits:
            plan["rlimits"] = [_understand(limit) for limit in config.container.rlimits]


def _understand(limit: RLimit) -> tuple[int, int, int]:
    number = getattr(resource, f"RLIMIT_{limit.type.removeprefix(PREFIX)}", None)
    if number is None or not limit.type.startswith(PREFIX):
        raise ContainerError(f"expected an rlimit such as RLMT_NOFILE, found {limit.type!r}")
    if (limit.soft is None) is not (limit.hard is None):
        raise ContainerError(f"{limit.type}: expected both a soft and a hard limit, or neither")
    if limit.soft is None or limit.hard is None:
        return number, resource.RLIM_INFINITY, resource.RLIM_INFINITY
    if limit.soft > limit.hard:
        raise ContainerError(f"{limit.type}: the soft limit {limit.soft} is above the hard limit {limit.hard}")
    return number, limit.soft, limit.hard
