"""`explain`: why a framework was offered agents, or was not."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from typing import Any

from tools.cli.asking import Master, find

AGENT_ID = re.compile(r"-S\d+$")


def add_explain(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument("--framework", required=True, metavar="ID", help="the framework's id, or its name")
    command.add_argument("--role", default="", help="one of its roles; it has to be named if there are several")
    command.add_argument("--agent", default="", metavar="ID", help="the agent's id, or its hostname; otherwise all")
    command.set_defaults(run=explain)


def explain(options: argparse.Namespace) -> Iterator[str]:
    """Ask, and say it in lines."""
    master = Master(options.master, options.credential)
    frameworks = master.get("/frameworks")["frameworks"]
    framework_id = find("framework", frameworks, options.framework, ("id", "name"))
    agent_id = ""
    if AGENT_ID.search(options.agent):
        agent_id = options.agent  # it need not be here any more
    elif options.agent:
        agent_id = find("agent", master.get("/slaves")["slaves"], options.agent, ("id", "hostname"))
    answer = master.get("/explain", framework_id=framework_id, role=options.role, agent_id=agent_id)
    return iter([json.dumps(answer)]) if options.json else told(answer)


def told(answer: dict[str, Any]) -> Iterator[str]:
    """An answer in lines: each agent with its reasons, the one that counts first."""
    yield f"framework {answer['framework_id']} in role {answer['role']}"
    if not answer["agents"]:
        yield "  there are no agents"
    for agent in answer["agents"]:
        yield f"  agent {agent['agent_id']} ({agent['hostname']})"
        for reason in agent["reasons"]:
            yield f"    {reason['reason']:<14} {reason['text']}"
