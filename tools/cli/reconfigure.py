"""`reconfigure`: give an agent more to offer or less, or other attributes, while its tasks run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from libprocess.errors import OperatorError
from libprocess.pid import PID
from tools.cli.asking import Master, find


def add_reconfigure(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument("agent", metavar="AGENT", help="its id, or its hostname")
    command.add_argument(
        "--resources",
        metavar="TEXT",
        help="what it has of the kinds that are named, such as 'cpus:8;mem:4096'; not less than its tasks use",
    )
    command.add_argument("--attributes", metavar="TEXT", help="all its attributes from now on, such as 'rack:r1'")
    command.set_defaults(run=reconfigure)


def reconfigure(options: argparse.Namespace) -> Iterator[str]:
    """Do it, and say what the agent is now."""
    form = {name: getattr(options, name) for name in ("resources", "attributes")}
    given = {name: text for name, text in form.items() if text is not None}
    if not given:
        raise OperatorError("expected --resources, --attributes or both, found neither")
    agents = Master(options.master, options.credential).get("/slaves")["slaves"]
    agent_id = find("agent", agents, options.agent, ("id", "hostname"))
    agent = next(agent for agent in agents if agent["id"] == agent_id)
    host = PID.parse(agent["pid"]).host
    answer = Master(f"{host}:{agent['port']}", options.credential, noun="agent").post("/reconfigure", **given)
    if options.json:
        yield json.dumps(answer)
        return
    yield f"agent {agent_id} has {answer['resources']}, and the attributes {answer['attributes'] or '(none)'}"
    yield "when it is started again, give it the same --resources and --attributes, or more"
