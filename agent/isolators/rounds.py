"""Rounds: isolators that cannot be told of a limit go and look, at all containers, every so often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from agent.isolators.isolator import Limitation, Tell
from agent.ports import ContainerConfig
from mesos.ids import ContainerID


@dataclass(frozen=True)
class Watched:
    """A container that is looked at."""

    config: ContainerConfig
    init: int
    tell: Tell


Look = Callable[[Watched], Limitation | None]
"""Looks at one container; called on a thread."""


class Rounds:
    """Looks at containers one after another, on a thread, and begins anew after a pause."""

    def __init__(self, look: Look, pause_seconds: float) -> None:
        self._look = look
        self._pause_seconds = pause_seconds
        self._watched: dict[ContainerID, Watched] = {}
        self._walk: asyncio.Task[None] | None = None

    def add(self, container_id: ContainerID, watched: Watched) -> None:
        """Look at a container from now on."""
        self._watched[container_id] = watched
        if self._walk is None:
            self._walk = asyncio.get_running_loop().create_task(self._go())

    def remove(self, container_id: ContainerID) -> None:
        """Look at it no more. Fine if nobody did."""
        self._watched.pop(container_id, None)
        if not self._watched and self._walk is not None:
            self._walk.cancel()
            self._walk = None

    async def _go(self) -> None:
        while True:
            await asyncio.sleep(self._pause_seconds)
            for container_id, watched in list(self._watched.items()):
                limitation = None
                with suppress(OSError):
                    limitation = await asyncio.to_thread(self._look, watched)
                if limitation is not None and container_id in self._watched:
                    watched.tell(container_id, limitation)
