"""The place on a node that its master takes, and loses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from libprocess.pid import Address
from libprocess.runtime import Runtime
from master.flags import MasterFlags
from master.history.store import TaskHistory
from master.master import MASTER, Master
from master.registrar.store import Store


class Seat:
    """Where a master runs. `over` says why none does any more, and `refusal` what the operator has to do first."""

    def __init__(
        self,
        node: Runtime,
        flags: MasterFlags,
        web: Address,
        id_: str,
        store: Store,
        credentials: Mapping[str, str] | None = None,
        history: TaskHistory | None = None,
    ) -> None:
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._node = node
        self._flags = flags
        self._web = web
        self._id = id_
        self._store = store
        self._credentials = credentials
        self._history = history
        self._master: Master | None = None
        self._refusal = ""

    @property
    def refusal(self) -> str:
        """Empty if there is nothing that the operator has to do."""
        return self._refusal or (self._master.refused if self._master is not None else "")

    def take(self) -> None:
        """The master begins, and answers at the node's web port."""
        self._master = Master(self._flags, self._web, self._id, self._store, self._credentials, self._history)
        pid = self._node.spawn(self._master, MASTER)
        self._node.routes.root = MASTER
        self._node.when_exited(pid, self._ended)

    def _ended(self, reason: str) -> None:
        self.lose(self._master.lost if self._master is not None and self._master.lost else reason)

    def refuse(self, reason: str) -> None:
        """This program has to end, and it is of no use to start it again before the operator has done something."""
        self._refusal = reason
        self.lose(reason)

    def lose(self, reason: str) -> None:
        """This program has to end: it is not the master any more, or never will be."""
        if not self.over.done():
            self.over.set_result(reason)
