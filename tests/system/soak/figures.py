"""What a soak has at one moment, in figures that are not to grow."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.system.soak.cluster import Soak


class Program(NamedTuple):
    """One program of the cluster."""

    began: float
    """When it was started: another one has the same name later."""
    leads: bool
    memory_bytes: int
    counts: dict[str, int]
    """Of what is to be returned as soon as it is not needed."""


class Figures(NamedTuple):
    """All of a moment when no task runs."""

    tasks: int
    """How many had been launched until then."""
    programs: dict[str, Program]
    sizes: dict[str, int]


def figures(soak: Soak) -> Figures:
    """Those of now. OSError while a program does not answer."""
    programs = {name: _program(soak, name, psutil.Process(pid)) for pid, name in soak.named().items()}
    return Figures(len(soak.ledger.launches), programs, _sizes(soak))


def _program(soak: Soak, name: str, process: psutil.Process) -> Program:
    metrics = _metrics(soak, name)
    counts = {"descriptors": process.num_fds(), "threads": process.num_threads()}
    counts |= {key.removeprefix("runtime/"): int(metrics[key]) for key in COUNTED if key in metrics}
    return Program(process.create_time(), metrics.get("master/elected") == 1, process.memory_info().rss, counts)


COUNTED = ("runtime/actors", "runtime/links", "runtime/mail_waiting", "runtime/actors_failed")


def _metrics(soak: Soak, name: str) -> dict[str, float]:
    kind, _, number = name.partition("-")
    if kind == "master":
        return dict(soak.masters.get(int(number), "/metrics/snapshot"))
    if kind == "agent":
        url = f"http://127.0.0.1:{soak.agent_ports[int(number)]}/metrics/snapshot"
        with urllib.request.urlopen(url, timeout=10) as response:
            return dict(json.load(response))
    return {}


def _sizes(soak: Soak) -> dict[str, int]:
    work_dir = soak.masters.work_dir
    (leader,) = soak.masters.leaders
    frameworks: list[dict[str, Any]] = soak.masters.get(leader, "/state")["frameworks"]
    registry = _registry(soak)
    return {
        "processes": len(soak.named()) + len(soak.others()),
        "completed tasks shown": sum(len(framework["completed_tasks"]) for framework in frameworks),
        "entries in ZooKeeper": len(registry),
        "bytes of the registry": sum(registry),
        "bytes of agents' journals": _bytes(work_dir, "agent-*/meta/**/*"),
        "bytes of masters' histories": _bytes(work_dir, "master-*/history*"),
        "bytes of flights written": _bytes(work_dir, "*/traces/*"),
        "bytes of fetched files": _bytes(work_dir, "agent-*/fetch/**/*"),
        "files": sum(1 for path in work_dir.rglob("*") if path.is_file()),
        "directories": sum(1 for path in work_dir.rglob("*") if path.is_dir()),
    }


def _registry(soak: Soak) -> list[int]:
    """How large each entry in ZooKeeper is, those of the masters included."""
    client = soak.zookeeper.client()
    try:
        paths, sizes = ["/soak"], list[int]()
        while paths:
            path = paths.pop()
            sizes.append(len(client.get(path)[0]))
            paths += [f"{path}/{name}" for name in client.get_children(path)]
        return sizes
    finally:
        client.stop()
        client.close()


def _bytes(directory: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in directory.glob(pattern) if path.is_file())
