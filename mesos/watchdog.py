"""A watchdog over callbacks: one that blocks holds up all that come after it, and nobody would say which."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

log = logging.getLogger("mesos.driver")

PATIENCE_SECONDS = 5.0

CALL = "_call_back"
"""The drivers' method from which callbacks are called."""


class Watchdog:
    """Says once, in one line, which callback has not returned for `patience_seconds`, and where it hangs.

    It looks on from a thread of its own, since a callback may block the only loop that there is.
    """

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._over = threading.Event()
        # Its name, since when it runs and on which thread, and its coroutine if it is one.
        self._callback: tuple[str, float, int, Any] | None = None

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._look, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """There is nothing to look at any more."""
        self._over.set()

    def began(self, name: str) -> None:
        """A callback was called on this thread."""
        self._callback = (name, time.monotonic(), threading.get_ident(), None)

    def awaits(self, awaitable: Any) -> None:
        """The callback at hand is a coroutine, which has only now begun."""
        if self._callback is not None:
            self._callback = (*self._callback[:3], awaitable)

    def ended(self) -> None:
        """It returned, or raised."""
        self._callback = None

    def _look(self) -> None:
        told: tuple[str, float] | None = None
        while not self._over.wait(self._patience_seconds / 4):
            callback = self._callback
            if callback is None or callback[:2] == told:
                continue
            name, since, thread, coroutine = callback
            seconds = time.monotonic() - since
            if seconds >= self._patience_seconds:
                told = callback[:2]
                where = _where(thread, coroutine)
                log.warning("%s has not returned for %.1f s, and holds up all other callbacks%s", name, seconds, where)


def _where(thread: int, coroutine: Any) -> str:
    """The place in the callback itself, and the innermost one, where these differ."""
    if coroutine is not None and not getattr(coroutine, "cr_running", True):
        frames = list(_awaited(coroutine))
    else:
        frames = [frame for frame, _ in traceback.walk_stack(sys._current_frames().get(thread))][::-1]
        calls = [i for i, frame in enumerate(frames) if frame.f_code.co_name == CALL]
        frames = frames[calls[-1] + 1 :] if calls else frames
    places = [_place(frame) for frame in frames]
    return "; it is at " + ", in ".join(dict.fromkeys((places[-1], places[0]))) if places else ""


def _awaited(coroutine: Any) -> Iterator[FrameType]:
    """The frames of a suspended coroutine and of those that it awaits, the innermost last."""
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        yield frame
        coroutine = coroutine.cr_await


def _place(frame: FrameType) -> str:
    (summary,) = traceback.StackSummary.extract([(frame, frame.f_lineno)], limit=1)
    return f"{summary.filename}:{summary.lineno} ({summary.line or summary.name})"
