"""Tracing from outside: an actor on every node that lets tools watch, record, and, where it is allowed, break things.

`open_node` spawns it as `trace`; `mesos-trace` speaks to it. What it may do is in `Tracing`: watch by default, and
never break.
"""

from __future__ import annotations

from libprocess.tracing.options import FLIGHT_SECONDS, TRACE_ID, VARIABLE, Tracing, for_child
from libprocess.tracing.process import TraceProcess

__all__ = ["FLIGHT_SECONDS", "TRACE_ID", "VARIABLE", "TraceProcess", "Tracing", "for_child"]
