"""Records that tell when something of them is set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Watched:
    """Base of such a record. What it holds in lists and books is changed through its Cluster, which tells of that."""

    changed: Callable[[], None] | None = None
    """Called whenever an attribute was set; None while nobody wants to know."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if self.changed is not None:
            self.changed()
