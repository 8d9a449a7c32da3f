"""The JSON form of `--domain`: where a master or an agent stands, as Mesos' operators write it."""

from __future__ import annotations

import msgspec

from mesos.types import DomainInfo, FaultDomain


class _Json(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the shapes below, which are Mesos' own."""


class _Name(_Json, frozen=True):
    name: str


class _FaultDomain(_Json, frozen=True):
    region: _Name
    zone: _Name


class _Domain(_Json, frozen=True):
    fault_domain: _FaultDomain | None = None


_decoder = msgspec.json.Decoder(_Domain)


def parse_domain(text: str) -> DomainInfo:
    """Read `{"fault_domain": {"region": {"name": "eu"}, "zone": {"name": "eu-1"}}}`; ValueError in one line."""
    try:
        found = _decoder.decode(text)
    except msgspec.MsgspecError as error:
        raise ValueError(f"expected a domain as JSON: {error}") from None
    domain = found.fault_domain
    if domain is None:
        return DomainInfo()
    if not domain.region.name or not domain.zone.name:
        raise ValueError("expected the names of a region and a zone, found ''")
    return DomainInfo(FaultDomain(domain.region.name, domain.zone.name))


def format_domain(domain: DomainInfo) -> str:
    """Write what `parse_domain` reads."""
    fault = domain.fault_domain
    shape = _Domain(_FaultDomain(_Name(fault.region), _Name(fault.zone)) if fault else None)
    return msgspec.json.encode(shape).decode()
