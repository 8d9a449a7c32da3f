"""What the registry holds: entries, each under a key of its own, and how they become bytes.

An entry is all that is known of one thing, so that every operation changes exactly one, and there is nothing that half
an operation could have changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from master.allocator.messages import Quota, RoleWeight
from mesos.ids import AgentID, FrameworkID
from mesos.struct import Struct
from mesos.types import AgentInfo, FrameworkInfo, MachineID, Window

AGENT = "agent/"
FRAMEWORK = "framework/"
WEIGHTS = "weights"
QUOTAS = "quotas"
MAINTENANCE = "maintenance"

Rows: TypeAlias = dict[str, bytes]
"""Entries as a store has them, by key."""


class Standing(StrEnum):
    """How an agent stands to the cluster."""

    ADMITTED = "ADMITTED"
    UNREACHABLE = "UNREACHABLE"
    GONE = "GONE"


class Drain(Struct, frozen=True):
    """An operator's order to have an agent emptied."""

    began: float
    max_grace_period_seconds: float | None = None
    """So long after the beginning its tasks are killed at the latest; None for at once."""
    mark_gone: bool = False
    """Never to take it back, once it is empty."""
    is_done: bool = False
    """Nothing runs there any more."""

    def done(self) -> Drain:
        """The same, when nothing runs there any more."""
        return replace(self, is_done=True)

    @property
    def deadline(self) -> float:
        """When what still runs there is killed."""
        return self.began + (self.max_grace_period_seconds or 0.0)


class AgentEntry(Struct, frozen=True, tag="agent"):
    """An agent that was admitted once."""

    id: AgentID
    standing: Standing
    since: float
    """When it came to stand so."""
    info: AgentInfo | None = None
    """What it said of itself; not kept of one that is out of reach or gone."""
    drain: Drain | None = None
    is_deactivated: bool = False
    """An operator does not want it to be offered."""

    @property
    def key(self) -> str:
        """See the module."""
        return AGENT + self.id


class FrameworkEntry(Struct, frozen=True, tag="framework"):
    """A framework without a scheduler, since when, and how long it may be."""

    id: FrameworkID
    since: float
    failover_timeout_seconds: float

    @property
    def key(self) -> str:
        """See the module."""
        return FRAMEWORK + self.id


class EndedFrameworkEntry(Struct, frozen=True, tag="ended_framework"):
    """A framework that ended, and when: its id is not to be used again, unless an operator adopts it."""

    id: FrameworkID
    since: float
    registered_time: float
    info: FrameworkInfo
    """What lists of frameworks show of it, and no more."""

    @property
    def key(self) -> str:
        """See the module. It stands in place of what was known of the framework while it lived."""
        return FRAMEWORK + self.id


class WeightsEntry(Struct, frozen=True, tag="weights"):
    """What operators made roles weigh."""

    weights: tuple[RoleWeight, ...] = ()

    @property
    def key(self) -> str:
        """See the module."""
        return WEIGHTS


class QuotasEntry(Struct, frozen=True, tag="quotas"):
    """The quotas that operators set."""

    quotas: tuple[Quota, ...] = ()

    @property
    def key(self) -> str:
        """See the module."""
        return QUOTAS


class MaintenanceEntry(Struct, frozen=True, tag="maintenance"):
    """The machines that operators plan to take away, and those that are down."""

    schedule: tuple[Window, ...] = ()
    down: tuple[MachineID, ...] = ()

    @property
    def key(self) -> str:
        """See the module."""
        return MAINTENANCE


Entry: TypeAlias = AgentEntry | FrameworkEntry | EndedFrameworkEntry | WeightsEntry | QuotasEntry | MaintenanceEntry

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


def write_entry(entry: Entry) -> bytes:
    """An entry as JSON: a newer master may append fields, and an older one does not mind."""
    return _encoder.encode(entry)


def read_entry(key: str, value: bytes) -> Entry:
    """What `write_entry` wrote; ValueError for anything else."""
    try:
        entry = _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"the entry {key!r} cannot be read: {error}") from None
    if entry.key != key:
        raise ValueError(f"expected the entry {key!r}, found {entry.key!r} in its place")
    return entry


def read_entries(rows: Rows) -> dict[str, Entry]:
    """All entries of a registry, in the order of their keys."""
    return {key: read_entry(key, rows[key]) for key in sorted(rows)}


def write_entries(entries: Iterable[Entry]) -> Rows:
    """What `read_entries` reads."""
    return {entry.key: write_entry(entry) for entry in entries}
