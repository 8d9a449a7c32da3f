"""Checks of the offers that a framework accepts or declines."""

from __future__ import annotations

import math

from master.records import Cluster, FrameworkRecord
from master.validation.common import check_unique, named
from mesos.ids import OfferID
from mesos.types import Filters
from mesos.types.offer import REFUSE_SECONDS

REFUSE_SECONDS_MAX = 365 * 86400.0


def check_offers(offer_ids: tuple[OfferID, ...], framework: FrameworkRecord, cluster: Cluster) -> str | None:
    """Whether these can be accepted together: outstanding, the framework's own, of one agent and one role."""
    if not offer_ids:
        return "expected at least one offer, found none"
    offers = [cluster.offers[offer_id] for offer_id in offer_ids if offer_id in cluster.offers]
    if len(offers) < len(offer_ids):
        gone = [offer_id for offer_id in offer_ids if offer_id not in cluster.offers]
        return f"{named('offer', gone)} no longer stand{'s' if len(gone) == 1 else ''}"
    foreign = [offer.id for offer in offers if offer.framework_id != framework.id]
    if foreign:
        return f"{named('offer', foreign)} {'was' if len(foreign) == 1 else 'were'} made to another framework"
    for what, found in (("agent", {offer.agent_id for offer in offers}), ("role", {offer.role for offer in offers})):
        if len(found) > 1:
            return f"expected offers of one {what}, found {named(what, sorted(found))}"
    return check_unique("offer", offer_ids)


def check_refuse_seconds(filters: Filters) -> float:
    """How long a refusal holds: at most a year, and the default in place of what is no duration."""
    seconds = filters.refuse_seconds
    if math.isnan(seconds) or seconds < 0:
        return REFUSE_SECONDS
    return min(seconds, REFUSE_SECONDS_MAX)
