"""Throttling: frameworks that talk too much wait their turn, principal by principal, and then are not heard."""

from __future__ import annotations

from collections import deque

from libprocess.message import Message
from libprocess.metrics import Counter
from libprocess.pid import PID
from master.dialogues.base import Dialogue, log
from master.limiter import Limiter
from master.records import FrameworkRecord
from mesos.access.rate_limits import RateLimits
from mesos.ids import FrameworkID
from mesos.messages import FrameworkErrorMessage


class ReleaseThrottledMessage(Message, frozen=True):
    """Master → itself, when the next message of a principal may pass; empty stands for all that share the default."""

    principal: str


class Throttle:
    """The messages of one principal, or of all that share the default."""

    def __init__(self, qps: float, capacity: int | None) -> None:
        self.limiter = Limiter(1, 1 / qps)
        self.capacity = capacity
        self.waiting: deque[tuple[PID, Message]] = deque()

    @property
    def is_full(self) -> bool:
        """Whether no more may wait."""
        return self.capacity is not None and len(self.waiting) >= self.capacity


class Throttling(Dialogue):
    """Looks at all that schedulers of registered frameworks say, before its dialogue does."""

    throttles: dict[str, Throttle]
    """By principal; the one of the default is empty."""
    unlimited: frozenset[str]
    """Principals that are listed without a limit."""
    _released: dict[int, Message]
    """What has waited, and is in the mailbox again."""
    _heard: dict[str, tuple[Counter, Counter]]

    def begin_throttling(self, limits: RateLimits | None) -> None:
        """The limits are these from now on."""
        self._released, self._heard = {}, {}
        listed = limits.limits if limits is not None else ()
        self.throttles = {each.principal: Throttle(each.qps, each.capacity) for each in listed if each.qps is not None}
        self.unlimited = frozenset(each.principal for each in listed if each.qps is None)
        if limits is not None and limits.aggregate_default_qps is not None:
            self.throttles[""] = Throttle(limits.aggregate_default_qps, limits.aggregate_default_capacity)

    def caller(self, framework_id: FrameworkID) -> FrameworkRecord | None:
        """See Dialogue; None, too, if the mail at hand has to wait."""
        has_waited = self._released.pop(id(self.at_hand), None) is not None
        framework = super().caller(framework_id)
        if framework is None:
            return None
        principal = framework.info.principal
        received, processed = self._counters(principal)
        received.value += not has_waited
        if not has_waited and not self._may_pass(principal):
            return None
        processed.value += 1
        return framework

    def forget_caller(self, framework: FrameworkRecord) -> None:
        """The last framework of a principal takes along what was counted for that."""
        principal = framework.info.principal
        if principal and all(other.info.principal != principal for other in self.cluster.frameworks.values()):
            self._heard.pop(principal, None)
            self.metrics.remove(f"frameworks/{principal}/messages_")

    def _counters(self, principal: str) -> tuple[Counter, Counter]:
        if principal not in self._heard:
            prefix = f"frameworks/{principal}" if principal else "frameworks"
            names = (f"{prefix}/messages_received", f"{prefix}/messages_processed")
            self._heard[principal] = (self.metrics.counter(names[0]), self.metrics.counter(names[1]))
        return self._heard[principal]

    def _may_pass(self, principal: str) -> bool:
        """Whether the mail at hand may pass now; otherwise it waits, or is dropped and its framework told so."""
        key = principal if principal in self.throttles else ""
        throttle = self.throttles.get(key)
        if throttle is None or principal in self.unlimited:
            return True
        if not throttle.waiting and throttle.limiter.take(self.now):
            return True
        if throttle.is_full:
            what, whose = type(self.at_hand).__name__, f"principal '{principal}'" if key else "all without a limit"
            log.warning("a %s of %s is dropped: %s of %s wait", what, self.sender, throttle.capacity, whose)
            self.reply(FrameworkErrorMessage(f"Message {what} dropped: capacity({throttle.capacity}) exceeded"))
            return False
        throttle.waiting.append((self.sender, self.at_hand))
        if len(throttle.waiting) == 1:
            self._release_later(key, throttle)
        return False

    def _release_later(self, key: str, throttle: Throttle) -> None:
        self.delay(throttle.limiter.seconds_until(self.now), ReleaseThrottledMessage(key))

    def release_throttled(self, message: ReleaseThrottledMessage) -> None:
        """See the message."""
        throttle = self.throttles[message.principal]
        if not self.is_own() or not throttle.waiting:
            return
        if throttle.limiter.take(self.now):
            sender, mail = throttle.waiting.popleft()
            self._released[id(mail)] = mail
            self.put_back(sender, mail)
        if throttle.waiting:
            self._release_later(message.principal, throttle)
