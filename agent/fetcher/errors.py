"""What goes wrong when files are fetched."""

from __future__ import annotations

from agent.isolators.isolator import ContainerError


class FetchError(ContainerError):
    """A file cannot be fetched; the text names it and says why."""
