"""`break`: interfere with the mail of a running cluster that is there to be tested, with the verbs of the tests."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from libprocess import PID, Message, Runtime, run
from libprocess.tracing.messages import (
    AskInterferencesMessage,
    CutLinkMessage,
    HealLinksMessage,
    InterfereMessage,
    InterferencesMessage,
    ReleaseMailMessage,
)
from tools.trace.errors import BadArgument
from tools.trace.live import add_nodes, ask, find_nodes, of_all, tool_node

FILTERS = {
    "expect": "count mail, and let it pass",
    "drop": "lose mail",
    "hold": "keep mail back until `release`",
    "delay": "let mail come later, --by so many seconds",
    "duplicate": "let mail come twice",
}
OTHERS = {
    "release": "end a filter, or all; what it holds goes on",
    "restore": "end a filter, or all; what it holds is lost",
    "cut": "let nothing through between the nodes that are named",
    "heal": "end all cuts",
    "list": "show what is broken now, and how much mail each filter saw",
}


def add_break(parser: argparse.ArgumentParser) -> None:
    """The options of `break`."""
    verbs = {**FILTERS, **OTHERS}
    about = "; ".join(f"{verb}: {text}" for verb, text in verbs.items())
    parser.add_argument("verb", choices=verbs, metavar="VERB", help=about)
    add_nodes(parser)
    parser.add_argument("--type", default="", metavar="GLOB", help="messages of that type")
    parser.add_argument("--to", default="", metavar="GLOB", help="mail to that actor")
    parser.add_argument("--from", dest="sender", default="", metavar="GLOB", help="mail from that actor")
    parser.add_argument("--where", default="", metavar="FIELD==VALUE", help="mail with that value: task_id==t7")
    parser.add_argument("--by", type=float, default=1.0, metavar="SECONDS", help="of a delay (%(default)s)")
    parser.add_argument("--number", type=int, default=0, metavar="N", help="the filter that is ended; all without")
    parser.set_defaults(run=interfere)


def interfere(options: argparse.Namespace) -> Iterator[str]:
    """Do it on every node, and show what is broken then."""
    yield from run(_interfere(options, find_nodes(options)))


async def _interfere(options: argparse.Namespace, nodes: list[PID]) -> list[str]:
    async with tool_node(options) as runtime:
        told = await of_all(options, nodes, lambda node: _tell(runtime, node, _messages(options, node, nodes)))
        return [line for _, lines in told for line in lines]


async def _tell(runtime: Runtime, node: PID, messages: list[Message]) -> list[str]:
    answer = InterferencesMessage(())
    for message in messages:
        answer = await ask(runtime, node, message, InterferencesMessage)
    return [f"{node.address} {line}" for line in answer.interferences or ("nothing is broken",)]


def _messages(options: argparse.Namespace, node: PID, nodes: list[PID]) -> list[Message]:
    verb = options.verb
    if verb in FILTERS:
        return [InterfereMessage(verb, options.type, options.to, options.sender, options.where, options.by)]
    if verb in ("release", "restore"):
        return [ReleaseMailMessage(options.number, is_lost=verb == "restore")]
    if verb == "cut":
        if len(nodes) < 2:
            raise BadArgument("cut needs two nodes or more: nothing is let through between them")
        return [CutLinkMessage(str(other.address)) for other in nodes if other != node]
    return [HealLinksMessage() if verb == "heal" else AskInterferencesMessage()]
