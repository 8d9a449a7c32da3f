"""Records: what the master knows of agents, frameworks, offers and tasks.

They own state and the rules about it. They send nothing and know no clock: who changes them says what time it is.
"""

from __future__ import annotations

from master.records.agent import AgentRecord
from master.records.cluster import Cluster
from master.records.framework import FrameworkRecord, FrameworkState
from master.records.operation import OperationRecord
from master.records.task import TaskRecord

__all__ = ["AgentRecord", "Cluster", "FrameworkRecord", "FrameworkState", "OperationRecord", "TaskRecord"]
