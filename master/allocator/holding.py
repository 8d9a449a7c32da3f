"""Holdings: what a client has on an agent, offered to it or in use by its tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from master.allocator.agent import Grant
from master.allocator.bundle import Bundle
from mesos.resources import Resources

Bundler: TypeAlias = Callable[[Resources], Bundle]


class Holding(msgspec.Struct, eq=False):
    """What a client has on an agent. Never nothing, but while it changes."""

    offers: list[Grant]
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
                del self.offers[index]
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
            self.offers = []
        else:
            grant = self.offers[index]
            left = grant.bundle.resources - resources
            self.offers[index : index + 1] = [replace(grant, bundle=bundled(left))] if left else []
