"""What an operator may tell the allocator: the master's flags hand it in."""

from __future__ import annotations

from dataclasses import dataclass

from mesos.resources import Resources

MIN_ALLOCATABLE = (Resources.of(cpus=0.01), Resources.of(mem=32))


@dataclass(frozen=True, slots=True)
class Options:
    """How to allocate; every field has the default of the flag it comes from."""

    allocation_interval_seconds: float = 1.0
    """No refusal is forgotten sooner, so that who refuses for 0 seconds is asked again once per interval."""
    min_allocatable: tuple[Resources, ...] = MIN_ALLOCATABLE
    """An offer holds at least the quantities of one of these; none means that anything is worth an offer."""
    role_sorter: str = "drf"
    """The policy that orders roles below the same role, see `master.allocator.sorter`."""
    framework_sorter: str = "drf"
    """The policy that orders the frameworks of a role."""
    fair_sharing_excluded_resource_names: tuple[str, ...] = ()
    """Scalars that do not count in shares."""
    filter_gpu_resources: bool = True
    """Offer agents with GPUs to no framework that does not say that it knows of them."""
    region: str | None = None
    """The master's own; agents of others are offered only to frameworks that know of regions."""
