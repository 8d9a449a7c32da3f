"""`drain` and its kin: what operators want to become of an agent."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from libprocess.errors import OperatorError
from libprocess.units import parse_duration
from tools.cli.asking import Master, find

POLL_SECONDS = 0.5


def add_drain(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    _add_agent(command)
    command.add_argument(
        "--within",
        metavar="DURATION",
        default="",
        help="how long frameworks have to move their tasks, such as 10mins, before those are killed; otherwise none",
    )
    command.add_argument("--gone", action="store_true", help="never take it back once it is empty")
    command.add_argument("--wait", action="store_true", help="say how far it is until it is empty")
    command.add_argument("--watch", action="store_true", help="only do that, for a drain that is under way")
    command.set_defaults(run=drain)


def adder(call: str, done: str) -> Callable[[argparse.ArgumentParser], None]:
    """The options of a command that makes one call about an agent."""

    def add(command: argparse.ArgumentParser) -> None:
        _add_agent(command)
        command.set_defaults(run=partial(_order, call, done))

    return add


def _add_agent(command: argparse.ArgumentParser) -> None:
    command.add_argument("agent", metavar="AGENT", help="its id, or its hostname; an id if it is not connected")


def _id_of(master: Master, name: str) -> str:
    """An agent's id. One that is not registered is known to the registry only."""
    agents = master.get("/slaves")["slaves"]
    if any(name in (agent["id"], agent["hostname"]) for agent in agents):
        return find("agent", agents, name, ("id", "hostname"))
    return name


def _order(call: str, done: str, options: argparse.Namespace) -> Iterator[str]:
    master = Master(options.master, options.credential)
    agent_id = _id_of(master, options.agent)
    master.call(call, {"agent_id": {"value": agent_id}})
    yield json.dumps({"agent_id": agent_id}) if options.json else f"agent {agent_id} {done}"


def drain(options: argparse.Namespace) -> Iterator[str]:
    """Ask for it, and follow it if that is wanted."""
    master = Master(options.master, options.credential)
    agent_id = _id_of(master, options.agent)
    if not options.watch:
        body: dict[str, Any] = {"agent_id": {"value": agent_id}, "mark_gone": options.gone}
        if options.within:
            body["max_grace_period"] = _duration(options.within)
        master.call("DRAIN_AGENT", body)
    if options.wait or options.watch:
        yield from _follow(master, agent_id, options)
    else:
        yield json.dumps({"agent_id": agent_id}) if options.json else f"agent {agent_id} is being drained"


def _duration(text: str) -> dict[str, int]:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise OperatorError(f"--within: {error}") from None
    return {"seconds": int(seconds), "nanos": int(seconds % 1 * 1_000_000_000)}


def _follow(master: Master, agent_id: str, options: argparse.Namespace) -> Iterator[str]:
    """A line for each change, until it is drained, or nobody wants that any more, or it is gone."""
    before, is_to_go = "", bool(options.gone)
    while True:
        agent = next(iter(master.get("/slaves", slave_id=agent_id)["slaves"]), None)
        if agent is None and options.watch and not before:
            raise OperatorError(f"no agent {agent_id} is registered; `agents --away` lists those that were")
        is_to_go = agent.get("drain_info", {}).get("config", {}).get("mark_gone", False) if agent else is_to_go
        told = _told(agent_id, agent, is_to_go, options.json)
        if told != before:
            yield told
            before = told
        if agent is None or agent.get("drain_info", {}).get("state") != "DRAINING":
            return
        time.sleep(POLL_SECONDS)


def _told(agent_id: str, agent: dict[str, Any] | None, is_to_go: bool, as_json: bool) -> str:
    names = ("id", "drain_info", "drain_progress")
    if as_json:
        shown = {"id": agent_id} if agent is None else {name: agent[name] for name in names if name in agent}
        return json.dumps(shown)
    if agent is None:
        return f"agent {agent_id} is {'gone for good' if is_to_go else 'not registered any more'}"
    if "drain_info" not in agent:
        return f"agent {agent_id} is not being drained"
    if agent["drain_info"]["state"] == "DRAINED":
        return f"agent {agent_id} is drained"
    left = agent["drain_progress"]
    until = datetime.fromtimestamp(left["deadline"]).astimezone().isoformat(" ", "seconds")
    if not left["tasks"]:
        return f"agent {agent_id} has no task left; what ends there is not over yet"
    text = f"agent {agent_id} has {left['tasks']} task{'s' * (left['tasks'] != 1)} left"
    if time.time() < left["deadline"]:
        return f"{text}; what is there at {until} is killed"
    return f"{text}, killed at {until}; each is over when its framework has acknowledged how it ended"
