"""What the agent knows: frameworks, executors, tasks and updates. Records own state and rules, and send nothing."""

from __future__ import annotations
