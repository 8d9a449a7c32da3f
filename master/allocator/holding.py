"""Holdings: what a client has on an agent, offered to it or in use by its tasks.

They are values: a cycle that offers thousands of agents that are alike makes one, and all of them have it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from master.allocator.bundle import Bundle
from mesos.resources import Resources

Bundler: TypeAlias = Callable[[Resources], Bundle]


class Grant(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Something of an agent is offered to a client: what, and the record of why that one got it."""

    bundle: Bundle
    time: float
    """When it was decided, in seconds since 1970."""
    eligible: int = 0
    """Who might have got it, and came later: the clients as bits of a mask."""


class Holding(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What a client has on an agent; false if that is nothing."""

    offers: tuple[Grant, ...] = ()
    used: Bundle | None = None

    def __bool__(self) -> bool:
        return bool(self.offers) or self.used is not None

    @property
    def bundles(self) -> list[Bundle]:
        """All of it."""
        offered = [grant.bundle for grant in self.offers]
        return offered if self.used is None else [*offered, self.used]

    def with_offers(self, *grants: Grant) -> Holding:
        """The same, and these offers."""
        return Holding((*self.offers, *grants), self.used)

    def with_used(self, resources: Resources, bundled: Bundler) -> Holding:
        """The same, and these in use."""
        return Holding(self.offers, bundled(resources if self.used is None else self.used.resources + resources))

    def without(self, resources: Resources, bundled: Bundler) -> tuple[Bundle, Holding]:
        """What is taken away, and what that leaves: an offer that is just that; or of what is in use; or of an offer.

        ValueError if there is less.
        """
        for index, grant in enumerate(self.offers):
            if grant.bundle.resources is resources or grant.bundle.resources == resources:
                return grant.bundle, self._replaced(index)
        if not (self.used is not None and self.used.resources.contains(resources)):
            return bundled(resources), self._without_offered(resources, bundled)
        left = self.used.resources - resources
        return bundled(resources), Holding(self.offers, bundled(left) if left else None)

    def using(self, resources: Resources, bundled: Bundler) -> Holding:
        """The same when something that was offered is in use. ValueError if there is less."""
        return self._without_offered(resources, bundled).with_used(resources, bundled)

    def _without_offered(self, resources: Resources, bundled: Bundler) -> Holding:
        """Taken from an offer that has it all; or else from all there is, and what that leaves counts as in use."""
        for index, grant in enumerate(self.offers):
            if grant.bundle.resources.contains(resources):
                left = grant.bundle.resources - resources
                return self._replaced(index, *([replace(grant, bundle=bundled(left))] if left else []))
        left = Resources.sum(bundle.resources for bundle in self.bundles) - resources
        return Holding(used=bundled(left) if left else None)

    def _replaced(self, index: int, *grants: Grant) -> Holding:
        return Holding((*self.offers[:index], *grants, *self.offers[index + 1 :]), self.used)


NOTHING = Holding()
