"""`python -m tools.cli`: ask a master something."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from libprocess.errors import told_to_the_operator
from tools.cli import explain, keys, registry

PROGRAM = "tools.cli"

Adder = Callable[[argparse.ArgumentParser], None]

COMMANDS: dict[str, tuple[str, Adder]] = {
    "explain": ("why a framework was offered agents, or was not", explain.add_explain),
    "keys": ("which nodes a node knows by their keys; or makes its own", keys.add_keys),
    "registry": ("what the registry holds; or backs it up, or restores it", registry.add_registry),
}


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    made = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description="Ask a master something.")
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    for name, (text, add) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"Says {text}.")
        command.add_argument("--master", metavar="HOST:PORT", default="127.0.0.1:5050", help="the master's web address")
        command.add_argument("--json", action="store_true", help="print the answer as JSON")
        add(command)
    return made


def main() -> int:
    """Run the command that the command line names; returns the exit status."""
    with told_to_the_operator(PROGRAM):
        options = parser().parse_args()
        try:
            for line in options.run(options):
                print(line)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read it has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
