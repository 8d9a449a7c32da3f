"""Quotas as JSON: the older form of POST /quota, and the configs of the v1 API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libprocess.http.exchange import to_json
from master.allocator.messages import Quantities, Quota
from master.quotas import quantities
from master.validation.common import check_unique
from mesos.forms import Json
from mesos.resources import Resources, thousandths
from mesos.resources.jsonform import resources_from_json


def read_config(tree: Mapping[str, Any]) -> Quota:
    """One of the `quota_configs` of UPDATE_QUOTA; ValueError for what cannot be read."""
    return Quota(str(tree.get("role", "")), _scalars(tree, "guarantees"), _scalars(tree, "limits"))


def _scalars(tree: Mapping[str, Any], what: str) -> Quantities:
    found = tree.get(what, {})
    try:
        return tuple(sorted((str(name), thousandths(each["value"])) for name, each in found.items()))
    except (AttributeError, KeyError, TypeError):
        raise ValueError(f"expected {what} such as {{'cpus': {{'value': 4}}}}, found {found!r}") from None


def read_info(tree: Mapping[str, Any]) -> Quota:
    """The body of POST /quota: a guarantee that is the limit as well, unless there is one of its own."""
    guarantee = _resources(tree.get("guarantee", []))
    limit = _resources(tree["limit"]) if "limit" in tree else guarantee
    return Quota(str(tree.get("role", "")), guarantee, limit)


def _resources(tree: Any) -> Quantities:
    rows = list(resources_from_json(to_json(tree)))
    twice = check_unique("resource", (row.name for row in rows))
    if twice is not None:
        raise ValueError(twice)
    found = Resources.of(*rows)
    odd = next((each for each in found if each.kind.flatten() != each.kind or not isinstance(each.amount, int)), None)
    if odd is not None:
        raise ValueError(f"expected scalars that are not reserved, found {odd}")
    return quantities(found)


def write_config(quota: Quota) -> Json:
    """What `read_config` reads."""
    return {"role": quota.role, "guarantees": _values(quota.guarantees), "limits": _values(quota.limits)}


def _values(these: Quantities) -> Json:
    return {name: {"value": amount / 1000} for name, amount in these}


def write_info(quota: Quota) -> Json:
    """The older form, which knows of guarantees only."""
    guarantee = [
        {"name": name, "type": "SCALAR", "scalar": {"value": amount / 1000}} for name, amount in quota.guarantees
    ]
    return {"role": quota.role, "guarantee": guarantee}
