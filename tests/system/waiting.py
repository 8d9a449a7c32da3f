"""Waiting for what becomes true in other processes, which tell nobody: it is looked at again and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

SECONDS = 60.0
POLL_SECONDS = 0.01


def eventually(
    condition: Callable[[], T],
    what: str | Callable[[], str] = "",
    seconds: float = SECONDS,
    poll_seconds: float = POLL_SECONDS,
    meanwhile: Callable[[], object] = lambda: None,
) -> T:
    """Wait until the condition holds, doing something meanwhile, and fail if it never does; returns what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(_late(condition, what, seconds))
        meanwhile()
        time.sleep(poll_seconds)
    return found


async def eventually_here(condition: Callable[[], Any], what: str = "", seconds: float = SECONDS) -> None:
    """The same on a loop that goes on meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(_late(condition, what, seconds)) from None


def _late(condition: Callable[[], Any], what: str | Callable[[], str], seconds: float) -> str:
    text = what if isinstance(what, str) else what()
    return f"within {seconds:g} s it did not come true that {text or condition}"
