"""Holdings: what a client has on an agent, offered to it or in use by its tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from master.allocator.bundle import Bundle
from mesos.resources import Resources

Bundler: TypeAlias = Callable[[Resources], Bundle]


class Holding:
    """What a client has on an agent. Never nothing, but while it changes."""

    __slots__ = ("offers", "used")

    def __init__(self, offers: list[tuple[Bundle, float]], used: Bundle | None = None) -> None:
        self.offers = offers
        """Each lot that is offered, with the time since when, in seconds since 1970."""
        self.used = used

    def __bool__(self) -> bool:
        return bool(self.offers) or self.used is not None

    @property
    def bundles(self) -> list[Bundle]:
        """All of it."""
        offered = [bundle for bundle, _ in self.offers]
        return offered if self.used is None else [*offered, self.used]

    def take(self, resources: Resources, bundled: Bundler) -> Bundle:
        """Take something away: an offer that is just that; or else it was in use; or else part of what is offered.

        ValueError if there is less.
        """
        for index, (bundle, _) in enumerate(self.offers):
            if bundle.resources is resources or bundle.resources == resources:
                del self.offers[index]
                return bundle
        if self.used is not None and self.used.resources.contains(resources):
            left = self.used.resources - resources
            self.used = bundled(left) if left else None
        else:
            self._take_offered(resources, bundled)
        return bundled(resources)

    def use(self, resources: Resources, bundled: Bundler) -> None:
        """What was offered is in use from now on. ValueError if there is less."""
        self._take_offered(resources, bundled)
        self.used = bundled(resources if self.used is None else self.used.resources + resources)

    def _take_offered(self, resources: Resources, bundled: Bundler) -> None:
        """From one offer that has it all, or else from all offers together, or else from everything there is."""
        index = next((i for i, (bundle, _) in enumerate(self.offers) if bundle.resources.contains(resources)), None)
        if index is None:
            self._pool(resources, bundled)
            index = 0
        bundle, since = self.offers[index]
        left = bundle.resources - resources
        self.offers[index : index + 1] = [(bundled(left), since)] if left else []

    def _pool(self, resources: Resources, bundled: Bundler) -> None:
        """Make one offer of all, and of what is in use too if they would not do for this."""
        pool = Resources.sum(bundle.resources for bundle, _ in self.offers)
        if self.used is not None and not pool.contains(resources):
            pool, self.used = pool + self.used.resources, None
        since = self.offers[-1][1] if self.offers else 0.0
        self.offers = [(bundled(pool), since)]
