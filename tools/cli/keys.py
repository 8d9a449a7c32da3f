"""`keys`: makes a node's keys, shows its public one, and lists or adds those of the nodes it knows.

Secret keys are written to a file that only its user may read, and never printed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from libprocess.zeromq import add_known, create_keys, read_keys

EXAMPLES = """\
keys create /etc/mesos/keys                                    make this node's pair
keys show /etc/mesos/keys                                      its public key, to be added elsewhere
keys add /etc/mesos/keys 10.0.0.1 KEY                          know the node that is dialled at 10.0.0.1
keys add /etc/mesos/keys batch KEY --principal=ada             know a node that speaks for principal ada
keys list /etc/mesos/keys                                      all that are known
"""


def add_keys(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.epilog, command.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    command.add_argument("action", choices=("create", "show", "list", "add"))
    command.add_argument("directory", metavar="DIRECTORY", help="where the node's keys are, or are to be")
    command.add_argument("name", nargs="?", default="", help="of a node to add: its host:port, host, * or any other")
    command.add_argument("key", nargs="?", default="", help="the public key of a node to add")
    command.add_argument("--principal", default="", help="for whom a node to add speaks")
    command.set_defaults(run=keys)


def keys(options: argparse.Namespace) -> Iterator[str]:
    """Do it, and tell in lines what there is then."""
    if options.action == "create":
        create_keys(options.directory)
    elif options.action == "add":
        add_known(options.directory, options.name, options.key, options.principal)
    found = read_keys(options.directory)
    known = [
        {"name": name, "key": key, "principal": found.principals.get(key, "")}
        for name, key in sorted(found.known.items())
    ]
    if options.action in ("create", "show"):
        return iter([json.dumps({"public": found.public}) if options.json else found.public])
    return iter([json.dumps(known)]) if options.json else map(_line, known)


def _line(each: dict[str, Any]) -> str:
    return " ".join(filter(None, each.values()))
