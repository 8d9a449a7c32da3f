"""Bundles: resources, with what an allocation asks of them worked out once.

They pass from an agent's free ones to a framework and back as one object, so that the algebra is done only for what is
cut or joined. Most of what agents have is plain: nobody's, there to be cut. What is not (reserved, revocable, shared)
takes the longer way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from master.allocator.quantities import Minimum
from mesos.resources import Kind, Resources
from mesos.resources.amounts import Canonical

KNOWN_MAX = 100_000
"""How many bundles are kept at hand; then they are made anew."""


class Bundle:
    """Resources of one agent, on their way between it and frameworks."""

    __slots__ = ("amounts", "enough", "only_for", "open", "plain", "quantities", "resources", "shared")

    def __init__(self, resources: Resources, minimum: Minimum) -> None:
        self.resources = resources
        self.quantities = resources.quantities()
        self.enough = bool(resources.items) and minimum.admits(self.quantities)
        """Whether it is worth an offer, for whoever sets no minimum of its own."""
        self.plain = all(is_plain(kind) for kind, _ in resources.items)
        self.shared: tuple[tuple[Kind, Any], ...] = ()
        """What several may have at a time, with the number of copies."""
        self.amounts = self.open = tuple(self.quantities.items())
        """The quantities that only one may have at a time, and of them those that quotas count when handed out."""
        self.only_for: tuple[str, ...] | None = None
        """The roles without whose reservations it is not worth an offer; None if it may be for others too."""
        if not self.plain:
            self.shared = tuple(item for item in resources.items if item[0].shared)
            self.amounts = tuple(private(resources).quantities().items())
            self.open = tuple(resources.filter(is_plain).quantities().items())
            if not (minimum.admits(dict(self.open)) or any(kind.revocable for kind, _ in resources.items)):
                self.only_for = self.roles

    @property
    def roles(self) -> tuple[str, ...]:
        """For whom some of it is reserved."""
        return tuple(sorted({kind.role for kind, _ in self.resources.items if kind.reservations}))

    def __bool__(self) -> bool:
        return bool(self.resources.items)


class Bundles:
    """Makes bundles, one for all resources that are alike: it saves working them out, and memory that is far apart.

    Disks that count as alike may still differ in who made them and where they are mounted: bundles with such are made
    anew each time.
    """

    def __init__(self, minimum: Minimum) -> None:
        self._minimum = minimum
        self._known: dict[Resources, Bundle] = {}

    def __call__(self, resources: Resources) -> Bundle:
        """The bundle of these resources."""
        bundle = self._known.get(resources)
        if bundle is None:
            bundle = Bundle(resources, self._minimum)
            if all(kind.disk is None for kind, _ in resources.items):
                self._remember(bundle)
        return bundle

    def _remember(self, bundle: Bundle) -> None:
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[bundle.resources] = bundle


def is_plain(kind: Kind) -> bool:
    """Whether any framework may have it, and only one at a time."""
    return not (kind.reservations or kind.revocable or kind.shared)


def private(resources: Resources) -> Resources:
    """What only one may have at a time."""
    return resources.filter(lambda kind: not kind.shared)


def shrink(resources: Resources, caps: Mapping[str, int]) -> Resources:
    """As much of them as fits: of the plain scalars at most so much of each name, all there is of a name without a cap.

    What cannot be cut stays whole or goes. The very same object, if all of it fits.
    """
    left = dict(caps)
    kept = []
    for kind, amount in resources.items:
        if kind.name in left and isinstance(amount, int) and is_plain(kind):
            size = kind.size or 1
            amount = min(amount, left[kind.name] // size)
            left[kind.name] -= amount * size
        if amount:
            kept.append((kind, amount))
    shrunk = Resources(Canonical(kept))
    return resources if shrunk == resources else shrunk


def clip(total: Resources, held: Resources) -> Resources:
    """What of a total nobody holds, even where more is held than there is: an agent may have shrunk under its tasks."""
    amounts = dict(held.items)
    left = []
    for kind, amount in total.items:
        taken = amounts.get(kind)
        if taken is not None and not kind.shared:
            amount = max(amount - taken, 0) if isinstance(amount, int) else amount - taken  # type: ignore[operator]
        if amount:
            left.append((kind, amount))
    return Resources(Canonical(left))
