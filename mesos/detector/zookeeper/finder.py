"""The finder that asks ZooKeeper, and goes on watching who leads there."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from kazoo.exceptions import KazooException

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.runtime import Runtime
from mesos.detector.finder import MasterNotFoundError
from mesos.detector.messages import MasterFoundMessage, MasterNotFoundMessage
from mesos.detector.zookeeper.group import find_leader
from mesos.detector.zookeeper.session import INTERRUPTED, Session
from mesos.detector.zookeeper.url import ZooKeeperUrl
from mesos.types import MasterInfo

SESSION_SECONDS = 10.0
PATIENCE_SECONDS = 5.0
"""How long an answer waits for ZooKeeper."""


class ZooKeeperFinder:
    """A `MasterFinder` for clusters whose masters meet in ZooKeeper. It works on the loop that its node runs on."""

    def __init__(self, runtime: Runtime, url: ZooKeeperUrl) -> None:
        self._runtime = runtime
        self._url = url
        self._watches: dict[PID, _Watch] = {}

    def find(self, asker: PID) -> None:
        """See `MasterFinder`. The watch ends with who asked for it."""
        if asker not in self._watches:
            self._watches[asker] = _Watch(self._runtime, self._url, asker)
            self._runtime.when_exited(asker, lambda _: self._watches.pop(asker).stop())
        self._watches[asker].tell()


async def find_in_zookeeper(url: ZooKeeperUrl, seconds: float) -> MasterInfo:
    """Wait for somebody to lead; MasterNotFoundError after so many seconds."""
    session = Session(url, SESSION_SECONDS)
    problem = "expected ZooKeeper at {}, nobody answers"
    try:
        async with asyncio.timeout(seconds):
            async for _ in session.changes():
                problem = "expected a master's entry at {}, found none"
                with suppress(*INTERRUPTED):
                    leader = await find_leader(session)
                    if leader is not None:
                        return leader
    except TimeoutError:
        pass
    except (KazooException, ValueError) as error:
        problem = "expected a master's entry at {}, found " + _plain(error)
    finally:
        session.close()
    raise MasterNotFoundError(problem.replace("{}", str(url)))


class _Watch:
    """What one actor is told of ZooKeeper."""

    def __init__(self, runtime: Runtime, url: ZooKeeperUrl, asker: PID) -> None:
        self._runtime = runtime
        self._url = url
        self._asker = asker
        self._news: Message | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task = self._loop.create_task(self._watch())

    def tell(self) -> None:
        """Say what is known, as soon as anything is."""
        if self._news is not None:
            self._runtime.send(self._asker, self._news)
        elif self._timer is None:
            self._timer = self._loop.call_later(PATIENCE_SECONDS, self._give_up)

    def stop(self) -> None:
        self._task.cancel()
        self._be_patient_no_more()

    async def _watch(self) -> None:
        while True:
            session = Session(self._url, SESSION_SECONDS)
            try:
                async for _ in session.changes():
                    await self._look(session)
            finally:
                session.close()

    async def _look(self, session: Session) -> None:
        try:
            leader = await find_leader(session)
        except INTERRUPTED:
            return  # the leader of a moment ago is as good as any; there is another turn once it is connected again
        except (KazooException, ValueError) as error:
            self._learn(MasterNotFoundMessage(f"expected a master's entry at {self._url}, found {_plain(error)}"))
        else:
            nobody = MasterNotFoundMessage(f"expected a master's entry at {self._url}, found none")
            self._learn(nobody if leader is None else MasterFoundMessage(leader))

    def _learn(self, news: Message) -> None:
        self._be_patient_no_more()
        if news != self._news:
            self._news = news
            self.tell()

    def _give_up(self) -> None:
        self._timer = None
        reason = f"expected ZooKeeper at {self._url}, nobody answers within {PATIENCE_SECONDS:g} s"
        self._runtime.send(self._asker, MasterNotFoundMessage(reason))

    def _be_patient_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _plain(error: Exception) -> str:
    return f"what cannot be read: {str(error) or type(error).__name__}"
