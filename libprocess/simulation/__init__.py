"""Simulation: a cluster in one process, on virtual time, with faults at will, that a seed repeats byte for byte."""

from __future__ import annotations

from libprocess.simulation.faults import NO_FAULTS, Faults
from libprocess.simulation.filters import Filter
from libprocess.simulation.storage import SimStorage
from libprocess.simulation.timeline import EPOCH, SimClock
from libprocess.simulation.world import UnsettledError, World

__all__ = ["EPOCH", "NO_FAULTS", "Faults", "Filter", "SimClock", "SimStorage", "UnsettledError", "World"]
