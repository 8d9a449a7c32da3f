"""kazoo's client, made to find another server before its session is over.

When a connection breaks without a word, two thirds of the session's time may have passed before that shows. kazoo would
spend more than what is left on the first server that it tries, which may be the very one that was lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from kazoo.client import KazooClient
from kazoo.handlers.threading import SequentialThreadingHandler
from kazoo.protocol.serialization import Connect
from kazoo.security import CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, READ_ACL_UNSAFE

from mesos.detector.zookeeper.url import ZooKeeperUrl

RETRIES = {"max_tries": -1, "delay": 0.1, "backoff": 2, "max_delay": 1.0}

ANSWER_SECONDS_MIN = 0.5
"""However short a session, a server has so long to take it up."""

# At lower levels it writes credentials, and a line for each attempt to connect; what matters is told by who uses this.
kazoo_log = logging.getLogger("mesos.detector.kazoo")
kazoo_log.setLevel(logging.CRITICAL)


def make_client(
    url: ZooKeeperUrl, session_seconds: float, allowed: Callable[[float], None] | None = None, **options: Any
) -> KazooClient:
    """A client that is not started yet. With credentials, what it makes is everybody's to read and its own to change.

    On a thread of kazoo's, `allowed` is told how long ZooKeeper lets a session last. The options are kazoo's.
    """
    client = KazooClient(
        ",".join(map(str, url.servers)),
        session_seconds,
        connection_retry=RETRIES,
        auth_data=[("digest", url.credentials)] if url.credentials else None,
        default_acl=CREATOR_ALL_ACL + READ_ACL_UNSAFE if url.credentials else OPEN_ACL_UNSAFE,
        handler=_Handler(len(url.servers)),
        logger=kazoo_log,
        **options,
    )
    _take_part_in_greetings(client, allowed)
    return client


class _Handler(SequentialThreadingHandler):  # type: ignore[misc]
    """Gives up a server that cannot be reached so early that all others can be tried in a third of a session's time."""

    def __init__(self, servers: int) -> None:
        super().__init__()
        self._servers = servers

    def create_connection(self, *arguments: Any, timeout: float, **options: Any) -> Any:
        """See kazoo, whose timeout is the session's."""
        return super().create_connection(*arguments, timeout=timeout / 3 / self._servers, **options)


def _take_part_in_greetings(client: KazooClient, allowed: Callable[[float], None] | None) -> None:
    """Let nobody who is connected but does not answer use up what is left of a session, and tell what the answer says,
    which kazoo keeps to itself.
    """
    connection = client._connection
    invoke = connection._invoke

    def invoked(timeout: float, request: Any, **more: Any) -> Any:
        if not isinstance(request, Connect):
            return invoke(timeout, request, **more)
        if request.session_id:
            timeout = max(timeout / 3, ANSWER_SECONDS_MIN)
        outcome = invoke(timeout, request, **more)
        if allowed is not None and outcome[0].time_out > 0:
            allowed(outcome[0].time_out / 1000)
        return outcome

    connection._invoke = invoked
