"""The allocator: an actor of its own that decides who is offered what.

    allocator = self.spawn(Allocator(self.pid, Options()), id="allocator")
    self.send(allocator, AddAgentMessage(…))

The master tells it of agents, frameworks and of resources that come back, and gets an OfferResourcesMessage whenever
something can be offered: `master.allocator.messages` is the whole dialogue.
"""

from __future__ import annotations

from master.allocator.actor import Allocator
from master.allocator.options import Options

__all__ = ["Allocator", "Options"]
