"""Contention: a master's candidacy for the lead, kept up in ZooKeeper."""

from __future__ import annotations

import asyncio
from typing import Protocol

from kazoo.exceptions import KazooException, NoAuthError

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.runtime import Runtime
from mesos.detector.zookeeper.group import candidates, enter
from mesos.detector.zookeeper.session import INTERRUPTED, Session
from mesos.detector.zookeeper.url import ZooKeeperUrl
from mesos.types import MasterInfo


class ElectedMessage(Message, frozen=True):
    """Contender → the candidate: you lead from now on."""


class CandidacyLostMessage(Message, frozen=True):
    """Contender → the candidate: you do not lead, if you did, and are no candidate any more; and why.

    With `is_refused` it is of no use to try again before the operator has done something; `reason` says what.
    """

    reason: str
    is_refused: bool = False


class Contender(Protocol):
    """A candidate's port to those who elect."""

    def contend(self, asker: PID, info: MasterInfo) -> None:
        """Begin a candidacy. `asker` is sent an ElectedMessage when it comes to lead, and one CandidacyLostMessage."""


class ZooKeeperContender:
    """The `Contender` of real nodes. It works on the loop that its node runs on."""

    def __init__(self, runtime: Runtime, url: ZooKeeperUrl, timeout_seconds: float) -> None:
        self._runtime = runtime
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._tasks: dict[PID, asyncio.Task[None]] = {}

    def contend(self, asker: PID, info: MasterInfo) -> None:
        """See `Contender`. A candidacy ends with who asked for it."""
        if asker not in self._tasks:
            self._runtime.when_exited(asker, lambda _: self._stop(asker))
        self._tasks[asker] = asyncio.get_running_loop().create_task(self._contend(asker, info))

    def _stop(self, asker: PID) -> None:
        self._tasks.pop(asker).cancel()

    async def _contend(self, asker: PID, info: MasterInfo) -> None:
        session = Session(self._url, self._timeout_seconds)
        try:
            lost = await self._hold(session, asker, info)
        finally:
            session.close()
        self._runtime.send(asker, lost)

    async def _hold(self, session: Session, asker: PID, info: MasterInfo) -> CandidacyLostMessage:
        """Keep the entry as long as it can be kept; returns why it could not."""
        own, is_elected = "", False
        async for _ in session.changes():
            try:
                own = own or await enter(session, info)
                names = await candidates(session)
            except INTERRUPTED:
                continue
            except NoAuthError:
                return CandidacyLostMessage(
                    f"--zk: ZooKeeper lets nobody write at {self._url} but who may there by its ACL; give the user and "
                    "the password of that, as zk://user:password@…, or another path",
                    is_refused=True,
                )
            except KazooException as error:
                plain = f"{type(error).__name__.removesuffix('Error')} {error}".strip()
                return CandidacyLostMessage(f"ZooKeeper refuses at {self._url}: {plain}")
            if own not in names:
                return CandidacyLostMessage(f"its entry at {self._url} is gone")
            if names[0] == own and not is_elected:
                is_elected = True
                self._runtime.send(asker, ElectedMessage())
        return CandidacyLostMessage(session.over)
