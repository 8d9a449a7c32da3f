"""`python -m tools.cli`: ask a master something."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from libprocess.errors import told_to_the_operator
from tools.cli import adopt, agents, explain, history, keys, listing, reconfigure, registry
from tools.options import Parser

PROGRAM = "tools.cli"
MASTER_HELP = (
    "the web address of a master, or where masters meet: zk://host:port,…/path; "
    "otherwise what MESOS_MASTER says, or 127.0.0.1:5050"
)

Adder = Callable[[argparse.ArgumentParser], None]

COMMANDS: dict[str, tuple[str, Adder]] = {
    "explain": ("say why a framework was offered agents, or was not", explain.add_explain),
    "history": ("say what became of tasks that ended, also under masters before this one", history.add_history),
    "keys": ("say which nodes a node knows by their keys, or make its own", keys.add_keys),
    "registry": ("print what the registry holds, back it up, or restore it", registry.add_registry),
    "agents": ("list the agents, and what is used of them", listing.add_agents),
    "frameworks": ("list the frameworks, and whether they have a scheduler", listing.add_frameworks),
    "teardown": ("end a framework and all that it runs", listing.add_teardown),
    "adopt": ("let a framework that was removed register again with its id", adopt.add_adopt),
    "reconfigure": ("give an agent more, or other attributes, while its tasks run", reconfigure.add_reconfigure),
    "drain": ("have an agent emptied, and offered no more", agents.add_drain),
    "undrain": ("call a drain off, and have the agent offered again", agents.adder("REACTIVATE_AGENT", "stays")),
    "deactivate": ("have an agent offered no more", agents.adder("DEACTIVATE_AGENT", "is not offered any more")),
    "reactivate": ("have an agent offered again", agents.adder("REACTIVATE_AGENT", "is offered again")),
    "gone": ("never take an agent back; its tasks are gone", agents.adder("MARK_AGENT_GONE", "is gone for good")),
}


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    made = Parser(prog=f"python -m {PROGRAM}", description="Ask or tell a master something.")
    master = os.environ.get("MESOS_MASTER", "127.0.0.1:5050")
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    for name, (text, add) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command.add_argument("--master", metavar="PLACE", default=master, help=MASTER_HELP)
        command.add_argument("--credential", metavar="FILE", default="", help="what to prove to the master with")
        command.add_argument("--json", action="store_true", help="print the answer as JSON")
        add(command)
    return made


def main() -> int:
    """Run the command that the command line names; returns the exit status."""
    with told_to_the_operator(PROGRAM):
        options = parser().parse_args()
        try:
            for line in options.run(options):
                print(line, flush=True)
        except BrokenPipeError:  # whoever read it has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
