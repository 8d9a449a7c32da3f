"""What there should not be when a soak is to be calm: no task is to run, and all programs do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.system.soak.cluster import AGENTS, MASTERS, Soak

SHOWN = 5


def leftovers(soak: Soak) -> list[str]:
    """Each of them, as a line that tells whoever has to find out where it comes from."""
    open_ = list(soak.ledger.refresh().open)
    if open_:  # nothing else can be in order then
        told = {task: list(map(str, soak.ledger.states[task])) for task in open_[:SHOWN]}
        return [f"{len(open_)} tasks of which no end was told, such as {told}"]
    return [*_processes(soak), *_kernel(soak), *_files(soak), *_masters(soak)]


def _processes(soak: Soak) -> Iterator[str]:
    others = soak.others()
    yield from (f"{kind} {_described(process)}" for process, kind in others.items() if kind != "forker")
    forkers = [process for process, kind in others.items() if kind == "forker"]
    if len(forkers) > AGENTS:
        yield f"{len(forkers)} forkers: {[_described(process) for process in forkers]}"


def _described(process: psutil.Process) -> str:
    try:
        return f"{process.pid} of {process.ppid()}: {' '.join(process.cmdline())[-100:]} ({process.status()})"
    except psutil.Error:
        return f"{process.pid}, which is gone by now"


def _kernel(soak: Soak) -> Iterator[str]:
    yield from (f"control group {path}" for path in soak.groups() if path.parent.parent.name == soak.cgroups_root)
    yield from (line for line in Path("/proc/mounts").read_text().splitlines() if str(soak.place) in line)


def _files(soak: Soak) -> Iterator[str]:
    for agent in soak.masters.agents:
        work_dir = soak.masters.work_dir / agent.name
        traces = (path for path in _inside(work_dir / "containers") if path.name != ".boot_id")
        yield from (f"what is known of a container: {path}" for path in traces)
        yield from (f"sandboxes {path}" for path in _inside(work_dir / "agents"))
    yield from (f"temporary file {path}" for path in _inside(Path(os.environ["TMPDIR"])))


def _inside(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.exists() else []


def _masters(soak: Soak) -> Iterator[str]:
    leaders = soak.masters.leaders
    standing_by = [soak.masters.metric(number, "master/elected") for number in range(MASTERS)].count(0)
    if len(leaders) != 1 or standing_by != MASTERS - 1:
        yield f"{len(leaders)} masters lead, and {standing_by} stand by"
        return
    try:
        frameworks = soak.masters.get(leaders[0], "/state")["frameworks"]
        metrics = soak.masters.get(leaders[0], "/metrics/snapshot")
    except OSError as error:
        yield f"the leader says nothing: {error}"
        return
    if metrics["master/slaves_active"] != AGENTS:
        yield f"{metrics['master/slaves_active']:g} agents are there"
    if metrics["master/outstanding_offers"]:
        yield f"{metrics['master/outstanding_offers']:g} offers are out"
    if [framework["active"] for framework in frameworks] != [True]:
        yield f"of {len(frameworks)} frameworks these are active: {[each['active'] for each in frameworks]}"
    for framework in frameworks:
        for task in framework["tasks"] + framework["unreachable_tasks"]:
            yield f"the master has task {task['id']} in {task['state']}"
