"""Checks of checks: the probes of a task that the agent is to make."""

from __future__ import annotations

from collections.abc import Iterator

from master.validation.command import check_command
from master.validation.common import check_seconds, first
from mesos.types import CheckInfo, CheckType, HealthCheck, HTTPCheckInfo

SCHEMES = ("http", "https")


def check_probe(probe: CheckInfo | HealthCheck) -> str | None:
    """Whether a health check, or a check, can be made."""
    return first(_complaints(probe))


def _complaints(probe: CheckInfo | HealthCheck) -> Iterator[str | None]:
    details = {CheckType.COMMAND: probe.command, CheckType.HTTP: probe.http, CheckType.TCP: probe.tcp}
    for kind, detail in details.items():
        if (detail is not None) is not (kind is probe.type):
            found = "none" if detail is None else f"{kind.lower()} details"
            yield f"expected the details of a probe of type {probe.type}, found {found}"
    yield check_command(probe.command) if probe.command else None
    yield _check_http(probe.http) if probe.http else None
    for port in (detail.port for detail in (probe.http, probe.tcp) if detail):
        yield f"expected a port from 1 to 65535, found {port}" if not 0 < port < 65536 else None
    yield check_seconds("delay", probe.delay_seconds)
    yield check_seconds("interval", probe.interval_seconds)
    yield check_seconds("timeout", probe.timeout_seconds)
    if isinstance(probe, HealthCheck):
        yield check_seconds("grace_period", probe.grace_period_seconds)
        if probe.consecutive_failures < 1:
            yield f"expected at least 1 of consecutive_failures, found {probe.consecutive_failures}"


def _check_http(http: HTTPCheckInfo) -> str | None:
    if http.scheme not in SCHEMES:
        return f"expected the scheme {' or '.join(SCHEMES)}, found {http.scheme!r}"
    if http.path and not http.path.startswith("/"):
        return f"expected a path that begins with /, found {http.path!r}"
    return None
