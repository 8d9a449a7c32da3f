"""Operations: what can be done to the registry. Each says which entry it is about, and makes the new one from the old.

They are pure. An operation that makes no sense of the entry that is there leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from msgspec.structs import replace

from master.allocator.messages import Quota, RoleWeight
from master.registrar.entries import (
    AGENT,
    FRAMEWORK,
    MAINTENANCE,
    QUOTAS,
    WEIGHTS,
    AgentEntry,
    Drain,
    EndedFrameworkEntry,
    Entry,
    FrameworkEntry,
    MaintenanceEntry,
    QuotasEntry,
    Standing,
    WeightsEntry,
)
from mesos.ids import AgentID, FrameworkID
from mesos.struct import Struct
from mesos.types import AgentInfo, FrameworkInfo, MachineID, Window


class _OfAgent(Struct, frozen=True):
    """About one agent."""

    agent_id: AgentID

    @property
    def key(self) -> str:
        """The entry that it is about."""
        return AGENT + self.agent_id

    def apply(self, entry: Entry | None) -> Entry | None:
        """What becomes of it."""
        known = entry if isinstance(entry, AgentEntry) else None
        return self.change(known)

    def change(self, known: AgentEntry | None) -> AgentEntry | None:
        """See `apply`."""
        raise NotImplementedError


class Admit(_OfAgent, frozen=True, tag=True):
    """An agent is here: for the first time, or again after it was out of reach, or as something else."""

    info: AgentInfo
    time: float

    def change(self, known: AgentEntry | None) -> AgentEntry | None:
        """One that is gone stays gone."""
        if known is None:
            return AgentEntry(self.agent_id, Standing.ADMITTED, self.time, self.info)
        if known.standing is Standing.GONE:
            return known
        since = known.since if known.standing is Standing.ADMITTED else self.time
        return replace(known, standing=Standing.ADMITTED, since=since, info=self.info)


class MarkUnreachable(_OfAgent, frozen=True, tag=True):
    """An agent cannot be reached."""

    time: float

    def change(self, known: AgentEntry | None) -> AgentEntry | None:
        """Since the first time that it is said."""
        if known is None or known.standing is not Standing.ADMITTED:
            return known
        return replace(known, standing=Standing.UNREACHABLE, since=self.time, info=None)


class MarkGone(_OfAgent, frozen=True, tag=True):
    """An agent will never be taken back."""

    time: float

    def change(self, known: AgentEntry | None) -> AgentEntry | None:
        """Whatever it was."""
        if known is not None and known.standing is Standing.GONE:
            return known
        return AgentEntry(self.agent_id, Standing.GONE, self.time)


class RemoveAgent(_OfAgent, frozen=True, tag=True):
    """An agent took its leave, or has been out of reach or gone for so long that nobody will ask for it."""

    def change(self, known: AgentEntry | None) -> AgentEntry | None:
        """Nothing is left of it."""
        return None


class DrainAgent(_OfAgent, frozen=True, tag=True):
    """An agent is to be emptied, and to be offered no more."""

    drain: Drain

    def change(self, known: AgentEntry | None) -> AgentEntry | None:
        """Also one that is out of reach: when it comes back."""
        return _ordered(known, True, self.drain)


class FinishDrain(_OfAgent, frozen=True, tag=True):
    """An agent is empty."""

    def change(self, known: AgentEntry | None) -> AgentEntry | None:
        """Unless somebody called it off."""
        if known is None or known.drain is None:
            return known
        return replace(known, drain=known.drain.done())


class DeactivateAgent(_OfAgent, frozen=True, tag=True):
    """An agent is to be offered no more."""

    def change(self, known: AgentEntry | None) -> AgentEntry | None:
        """What runs there runs on."""
        return _ordered(known, True, known.drain if known is not None else None)


class ReactivateAgent(_OfAgent, frozen=True, tag=True):
    """An agent is to be offered again, and need not be empty any more."""

    def change(self, known: AgentEntry | None) -> AgentEntry | None:
        """Whoever said otherwise."""
        return _ordered(known, False, None)


class LeaveFramework(Struct, frozen=True, tag=True):
    """A framework is without a scheduler from now on, or said for the first time how long it may be."""

    framework_id: FrameworkID
    time: float
    failover_timeout_seconds: float

    @property
    def key(self) -> str:
        """The entry that it is about."""
        return FRAMEWORK + self.framework_id

    def apply(self, entry: Entry | None) -> Entry | None:
        """Since the first time that it is said; what has ended has no scheduler anyway."""
        if isinstance(entry, EndedFrameworkEntry):
            return entry
        since = entry.since if isinstance(entry, FrameworkEntry) else self.time
        return FrameworkEntry(self.framework_id, since, self.failover_timeout_seconds)


class ReturnFramework(Struct, frozen=True, tag=True):
    """A framework has a scheduler again, or needs none any more."""

    framework_id: FrameworkID

    @property
    def key(self) -> str:
        """The entry that it is about."""
        return FRAMEWORK + self.framework_id

    def apply(self, entry: Entry | None) -> Entry | None:
        """There is nothing to remember, but that it has ended, should it have."""
        return entry if isinstance(entry, EndedFrameworkEntry) else None


class EndFramework(Struct, frozen=True, tag=True):
    """A framework is over, and its id is not to be used again."""

    framework_id: FrameworkID
    time: float
    registered_time: float
    info: FrameworkInfo

    @property
    def key(self) -> str:
        """The entry that it is about."""
        return FRAMEWORK + self.framework_id

    def apply(self, entry: Entry | None) -> Entry | None:
        """Whatever was known of it."""
        return EndedFrameworkEntry(self.framework_id, self.time, self.registered_time, self.info)


class ForgetFramework(Struct, frozen=True, tag=True):
    """An operator adopts a framework that ended; or it ended so long ago that nobody will ask for it."""

    framework_id: FrameworkID

    @property
    def key(self) -> str:
        """The entry that it is about."""
        return FRAMEWORK + self.framework_id

    def apply(self, entry: Entry | None) -> Entry | None:
        """One that lives stays what it is."""
        return None if isinstance(entry, EndedFrameworkEntry) else entry


class UpdateWeights(Struct, frozen=True, tag=True):
    """Roles weigh so much from now on."""

    weights: tuple[RoleWeight, ...]

    @property
    def key(self) -> str:
        """The entry that it is about."""
        return WEIGHTS

    def apply(self, entry: Entry | None) -> Entry | None:
        """Other roles keep their weights."""
        known = entry.weights if isinstance(entry, WeightsEntry) else ()
        merged = {each.role: each for each in (*known, *self.weights)}
        return WeightsEntry(tuple(each for _, each in sorted(merged.items())))


class UpdateQuotas(Struct, frozen=True, tag=True):
    """Roles have these quotas from now on."""

    quotas: tuple[Quota, ...]

    @property
    def key(self) -> str:
        """The entry that it is about."""
        return QUOTAS

    def apply(self, entry: Entry | None) -> Entry | None:
        """Other roles keep theirs; one that says nothing is none."""
        known = entry.quotas if isinstance(entry, QuotasEntry) else ()
        merged = {each.role: each for each in (*known, *self.quotas)}
        return QuotasEntry(tuple(each for _, each in sorted(merged.items()) if each.guarantees or each.limits))


class SetMaintenance(Struct, frozen=True, tag=True):
    """Operators plan this for machines."""

    schedule: tuple[Window, ...]
    down: tuple[MachineID, ...]

    @property
    def key(self) -> str:
        """The entry that it is about."""
        return MAINTENANCE

    def apply(self, entry: Entry | None) -> Entry | None:
        """Whatever they planned before; nothing is left of no plan."""
        return MaintenanceEntry(self.schedule, self.down) if self.schedule or self.down else None


Operation: TypeAlias = (
    Admit
    | MarkUnreachable
    | MarkGone
    | RemoveAgent
    | DrainAgent
    | FinishDrain
    | DeactivateAgent
    | ReactivateAgent
    | LeaveFramework
    | ReturnFramework
    | EndFramework
    | ForgetFramework
    | UpdateWeights
    | UpdateQuotas
    | SetMaintenance
)


def apply(entries: Mapping[str, Entry], operations: Iterable[Operation]) -> dict[str, Entry | None]:
    """What a batch of operations changes, one after the other: the new entries, and None for those that go."""
    changed: dict[str, Entry | None] = {}
    for operation in operations:
        key = operation.key
        changed[key] = operation.apply(changed[key] if key in changed else entries.get(key))
    return {key: entry for key, entry in changed.items() if entry != entries.get(key)}


def _ordered(known: AgentEntry | None, is_deactivated: bool, drain: Drain | None) -> AgentEntry | None:
    """What operators want of it; nothing of one that is gone."""
    if known is None or known.standing is Standing.GONE:
        return known
    return replace(known, is_deactivated=is_deactivated, drain=drain)
