"""Resources: cpus, memory, disk, ports and whatever else an agent has to give.

`Resources` is the algebra that everything uses; a `Kind` is what keys it, a `Resource` one kind with its amount.
"""

from __future__ import annotations

from mesos.resources.algebra import Resources
from mesos.resources.amounts import Amount, Ranges, Set, format_thousandths, thousandths
from mesos.resources.kind import (
    DiskInfo,
    DiskSource,
    DiskSourceType,
    Kind,
    Mount,
    Reservation,
    ReservationType,
    ValueType,
    VolumeMode,
)
from mesos.resources.resource import Resource

__all__ = [
    "Amount",
    "DiskInfo",
    "DiskSource",
    "DiskSourceType",
    "Kind",
    "Mount",
    "Ranges",
    "Reservation",
    "ReservationType",
    "Resource",
    "Resources",
    "Set",
    "ValueType",
    "VolumeMode",
    "format_thousandths",
    "thousandths",
]
