"""The real containerizer: containers as trees of processes, started by the forker and limited by isolators."""

from __future__ import annotations
