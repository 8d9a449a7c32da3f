"""`agents`, `frameworks` and `teardown`: who is there, and an end to a framework."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tools.cli.asking import Master, find

UNDERWAY = ("TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING")

AWAY = {"unreachable": "is out of reach", "gone": "is gone for good"}
"""Where an agent stands that is not there, by the registry's name for it."""


def add_agents(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument("--away", action="store_true", help="also those that are out of reach, or gone for good")
    command.set_defaults(run=agents)


def add_frameworks(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument("--ended", action="store_true", help="also those that ended, which `adopt` takes back")
    command.set_defaults(run=frameworks)


def add_teardown(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument("framework", metavar="FRAMEWORK", help="its id; or its name, if only one has it")
    command.set_defaults(run=teardown)


def agents(options: argparse.Namespace) -> Iterator[str]:
    """All that are registered, and those that a former master knew and that are not back yet."""
    master = Master(options.master, options.credential)
    shown = master.get("/state-summary")["slaves"]
    absent = master.get("/slaves")["recovered_slaves"]
    away = _away(master) if options.away else {}
    if options.json:
        yield json.dumps({"agents": shown, "recovered_agents": absent, **away})
        return
    for agent in shown:
        used, total = agent["used_resources"], agent["resources"]
        amounts = ", ".join(f"{name} {used[name]:g} of {total[name]:g}" for name in ("cpus", "mem"))
        yield f"{agent['id']} {agent['hostname']} {_standing(agent)}: {_tasks(agent)}, {amounts}"
    for agent in absent:
        yield f"{agent['id']} {agent['hostname']} is not back yet since the master changed"
    for key, text in AWAY.items():
        for agent in away.get(key, []):
            yield f"{agent['id']['value']} {text} since {_time(agent['timestamp']['nanoseconds'] / 1e9)}"
    if not shown and not absent and not away:
        yield "there are none"


def _away(master: Master) -> dict[str, list[dict[str, Any]]]:
    """The agents that the registry knows not to be there."""
    registry = master.get("/registrar(1)/registry")
    return {key: registry[key]["slaves"] for key in AWAY if key in registry}


def _standing(agent: dict[str, Any]) -> str:
    if "drain_info" in agent:
        return str(agent["drain_info"]["state"]).lower()
    if agent["deactivated"]:
        return "deactivated"
    return "active" if agent["active"] else "disconnected"


def frameworks(options: argparse.Namespace) -> Iterator[str]:
    """All that are there, and how their schedulers are."""
    master = Master(options.master, options.credential)
    living = master.get("/state-summary")["frameworks"]
    ended = master.get("/frameworks")["completed_frameworks"] if options.ended else []
    if options.json:
        yield json.dumps({"frameworks": living, **({"completed_frameworks": ended} if options.ended else {})})
        return
    for framework in living:
        yield f"{framework['id']} {framework['name']} {_scheduler(framework)}: {_tasks(framework)}"
    for framework in ended:
        yield f"{framework['id']} {framework['name']} ended {_time(framework['unregistered_time'])}"
    if not living and not ended:
        yield "there are none"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _scheduler(framework: dict[str, Any]) -> str:
    if framework["recovered"]:
        return "is known from its agents only"
    if not framework["connected"]:
        return "has no scheduler"
    return "is active" if framework["active"] else "is inactive"


def _tasks(of: dict[str, Any]) -> str:
    count = sum(of[state] for state in UNDERWAY)
    return f"{count} task{'s' * (count != 1)}"


def teardown(options: argparse.Namespace) -> Iterator[str]:
    """End it and all that it runs; its scheduler, if it has one, is told so."""
    master = Master(options.master, options.credential)
    framework_id = find("framework", master.get("/state-summary")["frameworks"], options.framework, ("id", "name"))
    master.call("TEARDOWN", {"framework_id": {"value": framework_id}})
    yield json.dumps({"framework_id": framework_id}) if options.json else f"framework {framework_id} is over"
