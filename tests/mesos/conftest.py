"""What the tests of drivers and detection share: a simulated world."""

from __future__ import annotations

from libprocess.testing import world

__all__ = ["world"]
