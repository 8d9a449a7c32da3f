"""`mesos-trace`, or `python -m tools.trace`: the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from libprocess.errors import told_to_the_operator
from tools.options import Parser
from tools.trace import (
    breaking,
    chains,
    checking,
    diff,
    draw,
    life,
    log,
    mailboxes,
    merge,
    protocol,
    record,
    slow,
    stats,
    tap,
)
from tools.trace.replaying import replay

Adder = Callable[[argparse.ArgumentParser], None]

COMMANDS: dict[str, tuple[str, Adder]] = {
    "tap": ("follow running nodes, message by message", tap.add_tap),
    "record": ("have nodes record themselves, and fetch the recordings", record.add_record),
    "flight": ("fetch what nodes' flight recorders hold", record.add_flight),
    "break": ("drop, hold, delay or double mail, cut links; in clusters that allow it", breaking.add_break),
    "log": ("one line per message", log.add_log),
    "actor": ("what one actor saw and did", log.add_actor),
    "why": ("the chain that led to a message", chains.add_why),
    "effects": ("all that came of a message", chains.add_effects),
    "task": (
        "the life of a task, or of anything with an id, over all nodes: where each millisecond went",
        life.add_task,
    ),
    "slow": ("how long messages wait, travel and are handled, by type and receiver", slow.add_slow),
    "mailboxes": ("how much mail waits for each actor, over time", mailboxes.add_mailboxes),
    "stats": ("what is in recordings: nodes, clocks, actors, messages, losses", stats.add_stats),
    "draw": ("a chart: Mermaid, SVG, a page with a timeline, Perfetto's format, OpenTelemetry's", draw.add_draw),
    "check": ("whether each receive has its send, and each message its cause", checking.add_check),
    "diff": ("the first divergence of two runs", diff.add_diff),
    "replay": ("one actor again, on its mail of then: does it do the same?", replay.add_replay),
    "protocol": ("who sends and who handles each message, from the source", protocol.add_protocol),
    "merge": ("several nodes' recordings as one, with an index", merge.add_merge),
}


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    made = Parser(prog="mesos-trace", description="See every message between actors, and why it was sent.")
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    for name, (text, add) in COMMANDS.items():
        add(commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + "."))
    return made


def main() -> int:
    """Run the command that the command line names; returns the exit status."""
    with told_to_the_operator("mesos-trace"):
        options = parser().parse_args()
        options.status = 0
        try:
            for line in options.run(options):
                print(line)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read it has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    status: int = options.status
    return status


if __name__ == "__main__":
    sys.exit(main())
