"""A master on a real port, with peers that register and stay: for what asks it over HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from libprocess import PID, Message, Process
from libprocess.edge import open_node
from libprocess.http.server import HttpServer
from libprocess.pid import Address
from master.flags import MasterFlags
from master.master import MASTER, Master
from mesos.messages import (
    AgentRegisteredMessage,
    FrameworkRegisteredMessage,
    PingAgentMessage,
    PongAgentMessage,
    RegisterAgentMessage,
)
from mesos.resources import Resources
from mesos.types import AgentCapability, AgentInfo

SECONDS = 30


def box(resources: str) -> RegisterAgentMessage:
    """An agent on the machine `box`."""
    return RegisterAgentMessage(
        AgentInfo("box", resources=Resources.parse(resources)), "1", (AgentCapability.MULTI_ROLE,)
    )


class _Peer(Process):
    """A scheduler or an agent that registers with these words, and stays."""

    def __init__(self, master: PID, words: Message) -> None:
        self.answered = asyncio.Event()
        self._master = master
        self._words = words

    def initialize(self) -> None:
        self.send(self._master, self._words)

    def framework_registered(self, message: FrameworkRegisteredMessage) -> None:
        self.answered.set()

    def agent_registered(self, message: AgentRegisteredMessage) -> None:
        self.answered.set()

    def ping_agent(self, message: PingAgentMessage) -> None:
        self.reply(PongAgentMessage())


@contextmanager
def served(work_dir: str, *words: Message) -> Iterator[str]:
    """The web address of a master with whom these have registered."""
    started, over = threading.Event(), threading.Event()
    addresses: list[str] = []

    async def serve() -> None:
        async with open_node(storage=work_dir) as node:
            server = HttpServer(node, root=MASTER, host="127.0.0.1", port=0)
            await server.start()
            web = Address("127.0.0.1", server.address.port)
            master = node.spawn(Master(MasterFlags(work_dir=work_dir), web), MASTER)
            peers = [_Peer(master, each) for each in words]
            for peer in peers:
                node.spawn(peer)
            await asyncio.wait_for(asyncio.gather(*(peer.answered.wait() for peer in peers)), SECONDS)
            addresses.append(str(web))
            started.set()
            await asyncio.to_thread(over.wait)
            await server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(SECONDS)
    yield addresses[0]
    over.set()
    thread.join()
