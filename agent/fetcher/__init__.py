"""The fetcher: brings the files that a command asks for into its sandbox, before it starts."""

from __future__ import annotations

from agent.fetcher.errors import FetchError
from agent.fetcher.fetcher import Fetcher

__all__ = ["FetchError", "Fetcher"]
