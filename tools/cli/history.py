"""`history`: what became of tasks that ended, also under masters before this one."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from libprocess.errors import OperatorError
from libprocess.units import format_bytes, parse_duration
from tools.cli.asking import Master

PAGE = 1000


def add_history(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    named = {"framework": "its id or name", "task": "its id or name", "agent": "its id or hostname"}
    for name, text in named.items():
        command.add_argument(f"--{name}", default="", metavar="NAME", help=f"of this {name}: {text}")
    command.add_argument("--state", default="", help="those that ended so, such as failed")
    command.add_argument("--reason", default="", help="those that ended for it, such as container_limitation_memory")
    command.add_argument("--text", default="", help="those with this in their message or last lines")
    command.add_argument("--since", default="", metavar="DURATION", help="those that ended within it, such as 2hrs")
    command.add_argument("--limit", type=int, default=20, metavar="N", help="no more than the last N; 20 unless given")
    command.add_argument("--lines", action="store_true", help="also what they wrote last")
    command.set_defaults(run=history)


def history(options: argparse.Namespace) -> Iterator[str]:
    """Ask, page by page, and say it in lines; the last that ended first."""
    asked = {name: getattr(options, name) for name in ("framework", "task", "agent", "state", "reason", "text")}
    if options.since:
        asked["since"] = str(time.time() - _seconds(options.since))
    found = _found(Master(options.master, options.credential), asked, options.limit)
    if options.json:
        yield json.dumps({"tasks": list(found)})
        return
    task = None
    for task in found:
        yield told(task)
        if options.lines:
            yield from (f"    {line}" for line in task.get("last_lines", "").splitlines())
    if task is None:
        yield "there are none"


def _found(master: Master, asked: dict[str, str], left: int) -> Iterator[dict[str, Any]]:
    offset: int | None = 0
    while offset is not None and left > 0:
        page = master.get("/history", **asked, offset=str(offset), limit=str(min(left, PAGE)))
        yield from page["tasks"]
        left -= len(page["tasks"])
        offset = page["next_offset"]


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise OperatorError(f"--since: {error}") from None


def told(task: dict[str, Any]) -> str:
    """One task in a line."""
    when = datetime.fromtimestamp(task["ended"], UTC).strftime("%Y-%m-%d %H:%M:%S")
    words = [f"{when}Z", task["state"], f"{task['id']} of {task['framework_name'] or task['framework_id']}"]
    words.append(f"on {task['hostname'] or task['agent_id']}: {task['message'] or task['reason'] or 'no message'}")
    if task.get("peak_memory_bytes"):
        words.append(f"({format_bytes(task['peak_memory_bytes'])} at most)")
    return " ".join(words)
