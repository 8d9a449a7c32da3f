"""Checks of tasks: how to probe one, and what the last probe said. Durations are in seconds."""

from __future__ import annotations

from enum import StrEnum

from mesos.struct import Struct
from mesos.types.command import CommandInfo


class CheckType(StrEnum):
    """How a task is probed."""

    COMMAND = "COMMAND"
    HTTP = "HTTP"
    TCP = "TCP"


class HTTPCheckInfo(Struct, frozen=True):
    """Probe by a GET request to the task's own address."""

    port: int
    path: str = "/"
    scheme: str = "http"


class TCPCheckInfo(Struct, frozen=True):
    """Probe by opening a connection."""

    port: int


class HealthCheck(Struct, frozen=True):
    """A probe that decides over a task's health, and in the end over its life."""

    type: CheckType
    delay_seconds: float = 15.0
    interval_seconds: float = 10.0
    timeout_seconds: float = 20.0
    consecutive_failures: int = 3
    grace_period_seconds: float = 10.0
    command: CommandInfo | None = None
    http: HTTPCheckInfo | None = None
    tcp: TCPCheckInfo | None = None


class CheckInfo(Struct, frozen=True):
    """A probe whose result is reported and not judged."""

    type: CheckType
    delay_seconds: float = 15.0
    interval_seconds: float = 10.0
    timeout_seconds: float = 20.0
    command: CommandInfo | None = None
    http: HTTPCheckInfo | None = None
    tcp: TCPCheckInfo | None = None


class CheckStatusInfo(Struct, frozen=True):
    """What the last probe of a `CheckInfo` said; without a result it timed out, or there was none yet."""

    type: CheckType
    exit_code: int | None = None
    status_code: int | None = None
    succeeded: bool | None = None
