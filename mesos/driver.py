"""What the drivers of schedulers and executors have in common: how far they got."""

from __future__ import annotations

from enum import StrEnum


class DriverStatus(StrEnum):
    """Where a driver is in its life. Its methods do something while it is RUNNING only, and all return this."""

    NOT_STARTED = "DRIVER_NOT_STARTED"
    RUNNING = "DRIVER_RUNNING"
    ABORTED = "DRIVER_ABORTED"
    STOPPED = "DRIVER_STOPPED"
