"""Maintenance: which machines operators plan to take away, and which they have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mesos.types import MachineID, Unavailability, Window


class Maintenance:
    """A machine is up; draining while it is in the schedule; or down, until it is said to be up again."""

    def __init__(self) -> None:
        self.set((), ())

    def set(self, schedule: tuple[Window, ...], down: tuple[MachineID, ...]) -> None:
        """Operators want this."""
        self.schedule = schedule
        self.down = down
        self._planned = {_plain(machine): when for machine, when in self.scheduled()}
        self._down = set(map(_plain, down))

    def scheduled(self) -> Iterator[tuple[MachineID, Unavailability]]:
        """Each machine in the schedule, and when it will be away."""
        for window in self.schedule:
            for machine in window.machine_ids:
                yield machine, window.unavailability

    def draining(self) -> list[MachineID]:
        """Those that are in the schedule and not down yet."""
        return [machine for machine, _ in self.scheduled() if machine not in self.down]

    def is_down(self, hostname: str, ip: str) -> bool:
        """Whether what is there is refused."""
        return any(name in self._down for name in _names(hostname, ip))

    def unavailability(self, hostname: str, ip: str) -> Unavailability | None:
        """When the machine there will be away, if that is planned."""
        return next((self._planned[name] for name in _names(hostname, ip) if name in self._planned), None)


def _names(hostname: str, ip: str) -> tuple[MachineID, ...]:
    """All that a machine can be called."""
    return _plain(MachineID(hostname, ip)), _plain(MachineID(hostname)), MachineID(ip=ip)


def _plain(machine: MachineID) -> MachineID:
    """Hostnames are the same in capitals."""
    return MachineID(machine.hostname.lower(), machine.ip)


def is_there(machine: MachineID, hostname: str, ip: str) -> bool:
    """Whether a machine is the one with that name and address; what its id leaves out does not matter."""
    return _plain(machine) in _names(hostname, ip)


def check_schedule(schedule: Iterable[Window], down: Iterable[MachineID]) -> str | None:
    """Whether it can be the schedule while those machines are down."""
    seen: set[MachineID] = set()
    for window in schedule:
        if not window.machine_ids:
            return "expected machines in each window, found one without"
        if (window.unavailability.duration_seconds or 0.0) < 0:
            return f"expected a duration from 0 s on, found {window.unavailability.duration_seconds:g} s"
        for machine in window.machine_ids:
            if not machine.hostname and not machine.ip:
                return "expected a hostname or an ip for each machine, found neither"
            if machine in seen:
                return f"expected each machine once, found {name_of(machine)} twice"
            seen.add(machine)
    missing = next((machine for machine in down if machine not in seen), None)
    return None if missing is None else f"expected machine {name_of(missing)} in it, which is down"


def name_of(machine: MachineID) -> str:
    """A machine, for people."""
    return machine.hostname + (f" ({machine.ip})" if machine.hostname and machine.ip else machine.ip)
