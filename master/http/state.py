"""The whole cluster as JSON: /state."""

from __future__ import annotations

from libprocess.version import VERSION
from master.flags import MasterFlags
from master.http.forms import agent, framework
from master.records import Cluster
from mesos.forms import Json, web_pid
from mesos.types import MasterInfo


def version() -> Json:
    """What /version says."""
    return {"version": VERSION}


def state(cluster: Cluster, info: MasterInfo, flags: MasterFlags, started: float) -> Json:
    """What /state says."""
    agents = cluster.agents.values()
    pid = web_pid(info.pid, info.port)
    shown: Json = version() | {
        "start_time": started,
        "elected_time": started,
        "id": info.id,
        "pid": pid,
        "actor_pid": str(info.pid),
        "hostname": info.hostname,
        "capabilities": list(info.capabilities),
        "activated_slaves": float(sum(each.active for each in agents)),
        "deactivated_slaves": float(sum(not each.active for each in agents)),
        "unreachable_slaves": float(len(cluster.unreachable)),
        "leader": pid,
        "leader_info": {"id": info.id, "pid": pid, "port": info.port, "hostname": info.hostname},
    }
    if flags.cluster:
        shown["cluster"] = flags.cluster
    return shown | {
        "flags": flags.as_dict(),
        "slaves": [agent(each) for each in agents],
        "recovered_slaves": [],
        "frameworks": [framework(each) for each in cluster.frameworks.values()],
        "completed_frameworks": [framework(each) for each in cluster.completed.values()],
        "orphan_tasks": [],
        "unregistered_frameworks": [],
    }
