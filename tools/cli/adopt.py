"""`adopt`: let a framework that was removed come back with its id."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from tools.cli.asking import Master, find


def add_adopt(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument("framework", metavar="FRAMEWORK", help="its id; or its name, if only one that ended has it")
    command.set_defaults(run=adopt)


def adopt(options: argparse.Namespace) -> Iterator[str]:
    """Do it, and say it."""
    master = Master(options.master, options.credential)
    ended = master.get("/frameworks")["completed_frameworks"]
    framework_id = find("framework that ended", ended, options.framework, ("id", "name"))
    answer = master.post("/adopt", frameworkId=framework_id)
    yield json.dumps(answer) if options.json else f"{framework_id} ({answer['name']}) may register again"
