"""A limit of how much may be done in what time."""

from __future__ import annotations


class Limiter:
    """Gives out permits, evenly spread; any number of them without a limit."""

    def __init__(self, permits: int = 0, seconds: float = 0.0) -> None:
        self._apart_seconds = seconds / permits if permits else 0.0
        self._next = 0.0

    def take(self, now: float) -> bool:
        """Have a permit, if there is one now."""
        if now < self._next:
            return False
        self._next = now + self._apart_seconds
        return True

    def seconds_until(self, now: float) -> float:
        """How long it takes until there is one."""
        return max(self._next - now, 0.0)
