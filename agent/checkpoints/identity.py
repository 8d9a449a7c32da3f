"""Who an agent is: its id and what it told its master, from one life to the next."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from libprocess.ports import Storage
from mesos.attributes import format_attributes
from mesos.domains import format_domain
from mesos.ids import AgentID
from mesos.resources import Ranges
from mesos.types import AgentInfo, Attribute

BOOT_ID = "boot_id"
LATEST = "agents/latest"

Policy = Literal["equal", "additive"]

_decoder = msgspec.msgpack.Decoder(AgentInfo)


def journal_path(agent_id: AgentID) -> str:
    """Where an agent's journal is in its storage."""
    return f"agents/{agent_id}/journal"


def _info_path(agent_id: AgentID) -> str:
    return f"agents/{agent_id}/agent.info"


def known_agent(storage: Storage) -> AgentInfo | None:
    """The agent that lived here last; ValueError if it cannot be read."""
    latest = storage.read(LATEST)
    if latest is None:
        return None
    path = _info_path(AgentID(latest.decode()))
    content = storage.read(path)
    try:
        return _decoder.decode(content or b"")
    except msgspec.MsgspecError as error:
        raise ValueError(f"expected what an agent said of itself in {path}: {error}") from None


def remember_agent(storage: Storage, info: AgentInfo) -> None:
    """Make sure that the next life here is this agent's."""
    assert info.id is not None
    if storage.read(_info_path(info.id)) != (content := msgspec.msgpack.encode(info)):
        storage.write(_info_path(info.id), content)
    if storage.read(LATEST) != info.id.encode():
        storage.write(LATEST, info.id.encode())


def forget_agent(storage: Storage, agent_id: AgentID) -> None:
    """The next life here is another agent's. Its name goes first, so that nothing is left of it by half."""
    storage.remove(LATEST)
    storage.remove(f"agents/{agent_id}")


def is_other_boot(storage: Storage, boot_id: str) -> bool:
    """Whether the machine was started again since `remember_boot`: then nothing runs of what did."""
    known = storage.read(BOOT_ID)
    return known is not None and known.decode() != boot_id


def remember_boot(storage: Storage, boot_id: str) -> None:
    """All that is remembered from now on is of this boot."""
    if storage.read(BOOT_ID) != boot_id.encode():
        storage.write(BOOT_ID, boot_id.encode())


def reconfigured(known: AgentInfo, given: AgentInfo, policy: Policy) -> AgentInfo:
    """The known agent as it is given now; ValueError says what has changed that may not."""
    given = replace(given, id=known.id)
    _check_same("hostname", known.hostname, given.hostname)
    if policy == "equal" or known.domain is not None:
        _check_same("domain", _domain(known), _domain(given))
    if policy == "equal":
        _check_same("list of resources", str(known.resources), str(given.resources))
        _check_same("list of attributes", format_attributes(known.attributes), format_attributes(given.attributes))
    elif not given.resources.contains(known.resources):
        raise ValueError(f"it had {known.resources}, and has less now: {given.resources}")
    elif missing := tuple(each for each in known.attributes if not _has(given, each)):
        raise ValueError(f"its attribute {format_attributes(missing)} is missing now")
    return given


def forget_if_changed(storage: Storage, known: AgentInfo, given: AgentInfo, policy: Policy, boot_id: str) -> str:
    """Forget an agent that changed as it may not while the machine was off, since nothing of it runs; returns what.

    ValueError says so of one whose tasks may run.
    """
    try:
        reconfigured(known, given, policy)
    except ValueError as error:
        if known.id is None or not is_other_boot(storage, boot_id):
            raise
        forget_agent(storage, known.id)
        return str(error)
    return ""


def _has(info: AgentInfo, attribute: Attribute) -> bool:
    """Whether an agent has an attribute, or one with wider ranges."""
    values = (each.value for each in info.attributes if each.name == attribute.name)
    wanted = attribute.value
    return any(
        value == wanted or (isinstance(value, Ranges) and isinstance(wanted, Ranges) and value >= wanted)
        for value in values
    )


def _domain(info: AgentInfo) -> str:
    return format_domain(info.domain) if info.domain is not None else ""


def _check_same(name: str, known: str, given: str) -> None:
    if known != given:
        raise ValueError(f"its {name} was {known or 'none'}, and is {given or 'none'} now")
