"""What the drivers of schedulers and executors have in common: how far they got, and how calls and callbacks go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Any, NamedTuple

from libprocess.message import Message


class DriverStatus(StrEnum):
    """Where a driver is in its life. Its methods do something while it is RUNNING only, and all return this."""

    NOT_STARTED = "DRIVER_NOT_STARTED"
    RUNNING = "DRIVER_RUNNING"
    ABORTED = "DRIVER_ABORTED"
    STOPPED = "DRIVER_STOPPED"


class News(NamedTuple):
    """Something that a scheduler or an executor is to be told: by which callback, and with what."""

    callback: str
    arguments: tuple[Any, ...] = ()


class DriverCalls(ABC):
    """The calls of a driver. All return at once, with the driver's status, and do nothing unless it is RUNNING."""

    def __init__(self, callbacks: object) -> None:
        """`callbacks` is whose driver this is."""
        self._callbacks = callbacks
        self._status = DriverStatus.NOT_STARTED

    @property
    def status(self) -> DriverStatus:
        """How far the driver got."""
        return self._status

    @abstractmethod
    def _tell(self, message: Message) -> None:
        """Hand a message to the actor of the scheduler or executor."""

    def _reach(self, status: DriverStatus) -> DriverStatus:
        """Get that far."""
        self._status = status
        return status

    def _call(self, message: Message) -> DriverStatus:
        if self._status is DriverStatus.RUNNING:
            self._tell(message)
        return self._status

    def _call_back(self, news: News) -> Any:
        """Let the scheduler or executor know; returns what its callback does."""
        if self._status is not DriverStatus.RUNNING:
            return None
        return getattr(self._callbacks, news.callback)(self, *news.arguments)

    def _name_of(self, news: News) -> str:
        """How people call the callback."""
        return f"{type(self._callbacks).__name__}.{news.callback}"
