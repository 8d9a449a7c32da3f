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
