"""Simulation of whole clusters: `python -m tools.simulate` looks for a seed that breaks a promise."""

from __future__ import annotations
