"""The whole cluster as JSON: /state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from libprocess.version import VERSION
from master.flags import MasterFlags
from master.http.forms import agent, executor, framework, framework_head, offer, recovered, task
from master.http.snapshot import Shapes, Snapshot, together
from master.http.snapshot.roll import joined
from master.records import Cluster
from mesos.forms import Json, web_pid
from mesos.types import MasterInfo


def version() -> Json:
    """What /version says."""
    return {"version": VERSION}


SHAPES = Shapes(
    agent,
    framework_head,
    {
        "tasks": lambda record, each: task(each),
        "unreachable_tasks": lambda record, each: task(each),
        "completed_tasks": lambda record, each: task(each),
        "offers": lambda record, each: offer(record.offers[each]),
        "executors": lambda record, each: executor(record.executors[each], record.id, each[0]),
    },
)


def state(cluster: Cluster, info: MasterInfo, flags: MasterFlags, started: float) -> Json:
    """What /state says."""
    return head(cluster, info, flags, started) | {
        "orphan_tasks": [task(each) for framework in cluster.orphans() for each in framework.tasks.values()],
        "slaves": [agent(each) for each in cluster.agents.values()],
        "frameworks": [framework(each) for each in cluster.frameworks.values()],
        "completed_frameworks": [framework(each) for each in cluster.completed.values()],
    }


def lists(snapshot: Snapshot) -> dict[str, Iterable[bytes]]:
    """The lists that /state ends with, encoded."""
    return {
        "orphan_tasks": joined(_orphan_tasks(snapshot)),
        "slaves": snapshot.agents.parts(),
        "frameworks": together(snapshot.living.values()),
        "completed_frameworks": together(snapshot.ended.values()),
    }


def _orphan_tasks(snapshot: Snapshot) -> Iterator[bytes]:
    orphans = (shown for shown in snapshot.living.values() if shown.record.is_orphan)
    return chain.from_iterable(shown.items("tasks").tail() for shown in orphans)


def head(cluster: Cluster, info: MasterInfo, flags: MasterFlags, started: float) -> Json:
    """What /state begins with: the master, and some numbers."""
    inactive = cluster.inactive_agents()
    pid = web_pid(info.pid, info.port)
    shown: Json = version() | {
        "start_time": started,
        "elected_time": started,
        "id": info.id,
        "pid": pid,
        "actor_pid": str(info.pid),
        "hostname": info.hostname,
        "capabilities": list(info.capabilities),
        "activated_slaves": float(len(cluster.agents) - inactive),
        "deactivated_slaves": float(inactive),
        "unreachable_slaves": float(len(cluster.unreachable)),
        "leader": pid,
        "leader_info": {"id": info.id, "pid": pid, "port": info.port, "hostname": info.hostname},
    }
    if flags.cluster:
        shown["cluster"] = flags.cluster
    return shown | {
        "flags": flags.as_dict(),
        "recovered_slaves": recovered(cluster),
        "unregistered_frameworks": [framework.id for framework in cluster.orphans()],
    }
