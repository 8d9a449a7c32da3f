"""A master's entry in ZooKeeper: Mesos' MasterInfo as JSON, which tools of others read, with our actor's PID in it."""

from __future__ import annotations

import ipaddress

import msgspec

from libprocess.pid import PID, Address
from mesos.types import MasterInfo

PREFIX = "json.info_"
"""An entry's name is this and a number that ZooKeeper counts up."""


class _Address(msgspec.Struct):
    hostname: str
    ip: str
    port: int


class _Entry(msgspec.Struct):
    """`ip` is a number with the address' first byte as its lowest, and `pid` names the web port, as Mesos has both."""

    id: str
    address: _Address
    hostname: str
    ip: int
    pid: str
    port: int
    version: str
    mesolite_pid: str
    """Where our agents and schedulers reach the master."""


def write_entry(info: MasterInfo) -> bytes:
    """What others need to know of this master."""
    entry = _Entry(
        id=info.id,
        address=_Address(info.hostname, info.ip, info.port),
        hostname=info.hostname,
        ip=_number(info.ip),
        pid=f"{info.pid.id}@{Address(info.ip, info.port)}",
        port=info.port,
        version=info.version,
        mesolite_pid=str(info.pid),
    )
    return msgspec.json.encode(entry)


def read_entry(data: bytes) -> MasterInfo:
    """The master that made an entry; ValueError if it is none of ours."""
    entry = msgspec.json.decode(data, type=_Entry)
    pid = PID.parse(entry.mesolite_pid)
    return MasterInfo(entry.id, pid, entry.hostname, entry.address.ip, entry.port, entry.version)


def _number(ip: str) -> int:
    """0 for what is no IPv4 address: there is no room for more."""
    try:
        return int.from_bytes(ipaddress.IPv4Address(ip).packed, "little")
    except ValueError:
        return 0
