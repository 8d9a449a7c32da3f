"""Callbacks that block are named in the log, with the place where they hang."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mesos.watchdog import Watchdog

SECONDS = 30.0


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    watchdog = Watchdog(patience_seconds=0.05)
    watchdog.start()
    yield watchdog
    watchdog.stop()


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], bool]:
    caplog.set_level(logging.WARNING, "mesos.driver")
    return lambda: bool(caplog.records)


def resource_offers(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not until() and time.monotonic() < deadline:
        threading.Event().wait(0.01)


def _call_back(until: Callable[[], bool]) -> None:
    """As the drivers do."""
    resource_offers(until)


def test_a_callback_that_blocks_is_named_once_with_the_place(
    watchdog: Watchdog, told: Callable[[], bool], caplog: pytest.LogCaptureFixture
):
    watchdog.began("Hoarder.resource_offers")
    until = time.monotonic() + 0.2
    _call_back(lambda: told() and time.monotonic() > until)
    watchdog.ended()
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("Hoarder.resource_offers has not returned for 0.")
    assert "threading.py" in line
    assert "test_watchdog.py" in line
    assert "threading.Event().wait(0.01)" in line


async def _fetch(until: Callable[[], bool]) -> None:
    while not until():
        await asyncio.sleep(0.01)


async def status_update(until: Callable[[], bool]) -> None:
    await asyncio.wait_for(_fetch(until), SECONDS)


def test_a_coroutine_that_waits_is_named_where_it_waits(
    watchdog: Watchdog, told: Callable[[], bool], caplog: pytest.LogCaptureFixture
):
    async def main() -> None:
        coroutine = status_update(told)
        watchdog.began("Hoarder.status_update")
        watchdog.awaits(coroutine)
        await coroutine
        watchdog.ended()

    asyncio.run(main())
    (line,) = [record.getMessage() for record in caplog.records]
    assert "Hoarder.status_update has not returned" in line
    assert "await asyncio.wait_for(_fetch(until), SECONDS)" in line


def test_callbacks_that_return_in_time_are_not_spoken_of(watchdog: Watchdog, caplog: pytest.LogCaptureFixture):
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        watchdog.began("Quick.status_update")
        watchdog.ended()
    assert caplog.records == []
