"""A cluster on this machine, of real processes: `python -m tools.local --help`, or `LocalCluster` from a program."""

from __future__ import annotations

from tools.local.cluster import ClusterError, LocalCluster

__all__ = ["ClusterError", "LocalCluster"]
