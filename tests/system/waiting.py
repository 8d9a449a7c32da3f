"""Waiting for what becomes true in other processes, which tell nobody: it is looked at again and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

SECONDS = 60.0
POLL_SECONDS = 0.01


def eventually(condition: Callable[[], Any], what: str | Callable[[], str] = "", seconds: float = SECONDS) -> float:
    """Wait until the condition holds, and fail if it never does; returns how long that took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + seconds:
            raise AssertionError(_late(condition, what, seconds))
        time.sleep(POLL_SECONDS)
    return time.monotonic() - began


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
