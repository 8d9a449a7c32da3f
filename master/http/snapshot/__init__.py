"""Snapshots: what large reads answer, kept encoded and in pieces. A change costs what changed, whatever the rest is."""

from __future__ import annotations

from master.http.snapshot.shapes import Shapes
from master.http.snapshot.snapshot import Snapshot, together

__all__ = ["Shapes", "Snapshot", "together"]
