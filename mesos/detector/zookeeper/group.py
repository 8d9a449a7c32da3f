"""The entries of those who lead or would like to, in the order in which they may."""

from __future__ import annotations

from kazoo.exceptions import NoNodeError

from mesos.detector.zookeeper.entry import PREFIX, read_entry, write_entry
from mesos.detector.zookeeper.session import Session
from mesos.types import MasterInfo


async def candidates(session: Session) -> list[str]:
    """The names of all entries, the leader's first; changes of that are watched."""
    numbers = {name: name.removeprefix(PREFIX) for name in await session.children() if name.startswith(PREFIX)}
    return sorted((name for name, number in numbers.items() if number.isdecimal()), key=lambda name: int(numbers[name]))


async def find_leader(session: Session) -> MasterInfo | None:
    """Who leads; changes of that are watched. ValueError if the leader's entry cannot be read."""
    while names := await candidates(session):
        try:
            data, _ = await session.read(names[0])
        except NoNodeError:  # it went in this very moment
            continue
        return read_entry(data)
    return None


async def enter(session: Session, info: MasterInfo) -> str:
    """Make sure that this session has its entry, and return the name of that."""
    for name in await candidates(session):
        try:
            _, owner = await session.read(name)
        except NoNodeError:
            continue
        if owner == session.id:  # it was made after all when the connection broke
            return name
    return await session.create(PREFIX, write_entry(info))
