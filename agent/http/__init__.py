"""HTTP: what the agent shows of its records, in the JSON that clients of Mesos read."""

from __future__ import annotations
