"""Which resources of an offer to use: a task asks for cpus, and an offer may hold some reserved, and some not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesos.resources import Amount, Kind, Resources


def pick(available: Resources, wanted: Resources) -> Resources | None:
    """Choose what is wanted, by name, whoever it is reserved for; reserved ones first. None if it is not all there.

    Volumes, whole disks, and what is shared or revocable are never chosen: who wants those, names them.
    """
    picked: list[tuple[Kind, Amount]] = []
    for resource in wanted:
        missing: Any = resource.amount
        for kind, amount in _plain(available, resource.kind):
            part = _common(amount, missing)
            picked.append((kind, part))
            missing = missing - part
        if missing:
            return None
    return Resources(tuple(picked))


def _plain(available: Resources, wanted: Kind) -> Iterator[tuple[Kind, Amount]]:
    for kind, amount in sorted(available.items, key=lambda item: not item[0].reservations):
        if (kind.name, kind.type) == (wanted.name, wanted.type) and not (
            kind.indivisible or kind.shared or kind.revocable
        ):
            yield kind, amount


def _common(have: Any, wanted: Any) -> Any:
    """What two amounts of one type have in common."""
    return min(have, wanted) if isinstance(have, int) else have - (have - wanted)
