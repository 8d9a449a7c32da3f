"""Live: what is common to all commands on running nodes: finding them, speaking to them, and their refusals."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from libprocess import PID, Message, Runtime, open_node
from libprocess.errors import OperatorError
from libprocess.pid import Address
from libprocess.tracing import TRACE_ID, Tracing
from libprocess.tracing.messages import TraceDeniedMessage
from libprocess.zeromq import read_keys
from tools.cli.asking import Master

M = TypeVar("M", bound=Message)
T = TypeVar("T")

ANSWER_SECONDS = 5.0


class Unreachable(OperatorError):
    """A node does not answer, or does not do what it was asked for."""


def add_nodes(parser: argparse.ArgumentParser) -> None:
    """The nodes that a command is for."""
    parser.add_argument("nodes", nargs="*", metavar="NODE", help="host:port, or any actor of it: master@host:port")
    parser.add_argument(
        "--master", metavar="PLACE", help="all nodes of the cluster whose master's web page is there, or at zk://…"
    )
    parser.add_argument("--credential", metavar="FILE", default="", help="what to prove to the master with")
    parser.add_argument("--keys", metavar="DIRECTORY", help="this tool's keys, where the nodes want to see some")
    parser.add_argument(
        "--reachable-at", metavar="HOST", default="127.0.0.1", help="listen there, so that nodes elsewhere can answer"
    )


def find_nodes(options: argparse.Namespace) -> list[PID]:
    """The trace actors of the nodes that are named. OperatorError if there are none."""
    found = [_trace_actor(text) for text in options.nodes]
    if options.master:
        found += map(_trace_actor, _of_cluster(options.master, options.credential))
    if not found:
        raise Unreachable("no node is named; give host:port of each, or --master with the master's web port")
    return list(dict.fromkeys(found))


def _trace_actor(text: str) -> PID:
    try:
        address = Address.parse(text.rpartition("@")[2])
    except ValueError as error:
        raise Unreachable(f"{text}: {error}") from None
    return PID(TRACE_ID, *address)


def _of_cluster(address: str, credential: str) -> list[str]:
    """The PIDs of a cluster's master, agents and schedulers, from its web port."""
    master = Master(address, credential)
    state = master.get("/state")
    agents = [item.get("actor_pid", "") for item in state.get("slaves", [])]
    schedulers = [item.get("pid", "") for item in state.get("frameworks", [])]
    return [master.get("/pid")["pid"], *filter(None, (*agents, *schedulers))]


@asynccontextmanager
async def tool_node(options: argparse.Namespace) -> AsyncIterator[Runtime]:
    """A node for the tool itself, which nobody can tap."""
    keys = read_keys(options.keys) if options.keys else None
    node = open_node(host=options.reachable_at, keys=keys, insecure=True, tracing=Tracing(may_watch=False))
    async with node as runtime:
        yield runtime


async def ask(runtime: Runtime, node: PID, message: Message, expected: type[M]) -> M:
    """Ask a node's trace actor. Unreachable says why it does not do it."""
    try:
        answer = await runtime.ask(node, message, ANSWER_SECONDS)
    except (TimeoutError, ConnectionError) as error:
        raise Unreachable(f"{node.address} does not answer ({error}); expected a running libprocess node") from None
    if isinstance(answer, TraceDeniedMessage):
        raise Unreachable(f"{node.address}: {answer.reason}")
    if not isinstance(answer, expected):
        raise Unreachable(f"{node.address} answers {type(answer).__name__}; expected {expected.__name__}")
    return answer


async def of_all(
    options: argparse.Namespace, nodes: Sequence[PID], do: Callable[[PID], Awaitable[T]]
) -> list[tuple[PID, T]]:
    """Do something with every node, at the same time; returns what came of it.

    Of a whole cluster those do it that can, and what the others say is told on stderr. Unreachable if none can, or if
    one cannot that was named.
    """
    outcomes = await asyncio.gather(*map(do, nodes), return_exceptions=True)
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for error in failed:
        if not isinstance(error, Unreachable) or not options.master or len(failed) == len(nodes):
            raise error
        print(f"left out: {error}", file=sys.stderr)
    return [
        (node, outcome) for node, outcome in zip(nodes, outcomes, strict=True) if not isinstance(outcome, BaseException)
    ]


def addresses(nodes: Sequence[PID]) -> str:
    """Nodes, as people name them."""
    return ", ".join(str(node.address) for node in nodes)
