"""How one kind of read shows agents and frameworks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from master.records import AgentRecord, FrameworkRecord
from mesos.forms import Json


@dataclass(frozen=True, eq=False)
class Shapes:
    """The JSON of agents, and of frameworks, which have lists of their own."""

    agent: Callable[[AgentRecord], Json]
    framework: Callable[[FrameworkRecord], Json]
    """A framework without its lists."""
    lists: Mapping[str, Callable[[FrameworkRecord, Any], Json]]
    """By name, what an item looks like: a TaskRecord, the id of an offer, or an agent's id and an executor's."""
