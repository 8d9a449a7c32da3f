"""Drains as JSON, in the registry and wherever agents are shown."""

from __future__ import annotations

from master.registrar.entries import Drain
from mesos.v1.tree import Tree


def drain_form(drain: Drain) -> Tree:
    """How far an agent is drained, and what was asked for."""
    config: Tree = {"mark_gone": drain.mark_gone}
    if drain.max_grace_period_seconds is not None:
        config["max_grace_period"] = {"nanoseconds": round(drain.max_grace_period_seconds * 1_000_000) * 1000}
    return {"state": "DRAINED" if drain.is_done else "DRAINING", "config": config}
