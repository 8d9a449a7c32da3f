"""What the probes of a task mean: whether it is healthy, and what its check says."""

from __future__ import annotations

from dataclasses import dataclass

from agent.ports import ProbedMessage
from mesos.types import CheckInfo, CheckStatusInfo, CheckType, HealthCheck

HTTP_HEALTHY = range(200, 400)


@dataclass(frozen=True)
class Verdict:
    """What follows from one probe of a task's health."""

    tells: bool = False
    """Its framework is to know."""
    kills: bool = False
    """It has failed too often."""


class Health:
    """Judges a task's health by its probes."""

    def __init__(self, check: HealthCheck, began: float, healthy: bool | None = None) -> None:
        """`began` is when the task started to run, in seconds; `healthy` is what was known of it before a restart."""
        self._check = check
        self._grace_ends = began + check.grace_period_seconds
        self._failures = 0
        self.healthy = healthy
        """What is known of it; None until a probe says something."""

    def judge(self, probed: ProbedMessage, now: float) -> Verdict:
        """Take the result of a probe."""
        if self._is_good(probed):
            changed = self.healthy is not True
            self.healthy, self._failures = True, 0
            return Verdict(tells=changed)
        if self.healthy is None and now < self._grace_ends:
            return Verdict()  # it may still be starting
        self.healthy = False
        self._failures += 1
        return Verdict(tells=True, kills=self._failures >= self._check.consecutive_failures)

    def _is_good(self, probed: ProbedMessage) -> bool:
        if self._check.type is CheckType.COMMAND:
            return probed.exit_code == 0
        if self._check.type is CheckType.HTTP:
            return probed.status_code in HTTP_HEALTHY
        return bool(probed.succeeded)


def check_status(check: CheckInfo, probed: ProbedMessage | None) -> CheckStatusInfo:
    """What a framework is told of its check, without a judgement; nothing before the first probe or after a timeout."""
    if probed is None or probed.error:
        return CheckStatusInfo(check.type)
    return CheckStatusInfo(check.type, probed.exit_code, probed.status_code, probed.succeeded)
