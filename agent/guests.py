"""How the executors that an agent starts get in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Guests:
    """An agent's ways to let executors in, each by the id of its container. By default everybody may come."""

    token_key: bytes = b""
    """With it every executor gets a token, by which it proves over HTTP that it is that executor."""
    invite: Callable[[str], str] = lambda name: ""
    """Lets the node of one in, where nodes have keys, and returns what it needs to come."""
    dismiss: Callable[[str], None] = lambda name: None
    """Lets it in no more, since it has ended."""


EVERYBODY = Guests()
