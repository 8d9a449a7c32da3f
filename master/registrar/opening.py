"""Which store a master's flags ask for."""

from __future__ import annotations

import logging

from libprocess.errors import OperatorError
from libprocess.runtime import Runtime
from master.flags import MasterFlags
from master.registrar.backend import Backend, ThreadedStore
from master.registrar.sqlite import SqliteBackend
from master.registrar.store import MemoryStore, Store
from master.registrar.zookeeper import ZooKeeperBackend

log = logging.getLogger("master")


def open_store(flags: MasterFlags, node: Runtime, id_: str) -> Store:
    """The store of a master with that id."""
    if flags.zk is not None and flags.chosen_registry != "zookeeper":
        log.warning(
            "--registry=%s with --zk: another master that comes to lead knows nothing of what is written down here, "
            "such as quotas and agents that are gone; take zookeeper unless there is no other",
            flags.chosen_registry,
        )
    if flags.chosen_registry == "in_memory":
        return MemoryStore(node)
    return ThreadedStore(node, open_backend(flags, id_))


def open_backend(flags: MasterFlags, id_: str) -> Backend:
    """What keeps it."""
    if flags.chosen_registry == "sqlite":
        return SqliteBackend(flags.work_dir)
    if flags.zk is None:
        raise OperatorError("--registry=zookeeper: expected --zk to say where, found none; give it, or take sqlite")
    return ZooKeeperBackend(flags.zk, id_, flags.zk_session_timeout_seconds)
