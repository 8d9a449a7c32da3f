"""Holdings: what a client has on an agent, offered to it or in use by its tasks."""

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


class Holding(msgspec.Struct, eq=False, gc=False):
    """What a client has on an agent. Never nothing, but while it changes."""

    offers: tuple[Grant, ...] = ()
    used: Bundle | None = None

    def __bool__(self) -> bool:
        return bool(self.offers) or self.used is not None

    @property
    def bundles(self) -> list[Bundle]:
        """All of it."""
        offered = [grant.bundle for grant in self.offers]
        return offered if self.used is None else [*offered, self.used]

    def take(self, resources: Resources, bundled: Bundler) -> Bundle:
        """Take something away: an offer that is just that; or else it was in use; or else part of what is offered.

        ValueError if there is less.
        """
        for index, grant in enumerate(self.offers):
            if grant.bundle.resources is resources or grant.bundle.resources == resources:
                self._replace(index)
                return grant.bundle
        if not (self.used is not None and self.used.resources.contains(resources)):
            self._take_offered(resources, bundled)
        elif self.used.resources == resources:
            self.used = None
        else:
            self.used = bundled(self.used.resources - resources)
        return bundled(resources)

    def use(self, resources: Resources, bundled: Bundler) -> None:
        """What was offered is in use from now on. ValueError if there is less."""
        self._take_offered(resources, bundled)
        self.used = bundled(resources if self.used is None else self.used.resources + resources)

    def _take_offered(self, resources: Resources, bundled: Bundler) -> None:
        """From an offer that has it all; or else from all there is, and what that leaves counts as in use."""
        index = next((i for i, grant in enumerate(self.offers) if grant.bundle.resources.contains(resources)), None)
        if index is None:
            everything = Resources.sum(bundle.resources for bundle in self.bundles)
            self.used = bundled(everything - resources) if everything != resources else None
            self.offers = ()
        else:
            grant = self.offers[index]
            left = grant.bundle.resources - resources
            self._replace(index, *([replace(grant, bundle=bundled(left))] if left else []))

    def _replace(self, index: int, *grants: Grant) -> None:
        self.offers = (*self.offers[:index], *grants, *self.offers[index + 1 :])
