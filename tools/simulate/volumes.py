"""Virtual volumes: an agent's `Volumes` in a simulation. They outlive the agent, as disks do."""

from __future__ import annotations


class VirtualVolumes:
    """The directories of one machine's volumes, and what was written to each."""

    def __init__(self) -> None:
        self.contents: dict[str, str] = {}

    def create(self, path: str) -> None:
        """See `agent.ports.Volumes`."""
        self.contents[path] = ""

    def keep(self, path: str) -> None:
        """See `agent.ports.Volumes`."""
        self.contents.setdefault(path, "")

    def remove(self, path: str) -> None:
        """See `agent.ports.Volumes`."""
        self.contents.pop(path, None)
