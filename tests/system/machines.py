"""Machines that share a kernel: a network namespace each, and a router between them that can be told to lose packets.

A cut is silent, as a broken cable is: nobody is told that a connection has ended, and a new one gets no answer.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import psutil

PREFIX = "mesolite"
NAMESPACES = Path("/run/netns")


class Machine(NamedTuple):
    """Where a program runs."""

    name: str
    ip: str
    enter: tuple[str, ...] = ()
    """What its command line is put behind."""


HERE = Machine("here", "127.0.0.1")


class Network:
    """Machines by the names that are said, and this one beside them, which reaches them all. Only root can have it.

    On leaving nothing is left of it; what a test left behind that was killed, the next one removes.
    """

    def __init__(self, names: Sequence[str]) -> None:
        number = os.getpid()
        self._subnet = f"10.{64 + number // 256 % 128}.{number % 256}"  # of no other test that runs now
        self._prefix = f"{PREFIX}-{number}"
        self._router = f"{self._prefix}-router"
        self._cable = f"mes{number}"
        self._cuts: list[str] = []
        self.machines = {name: self._machine(name, number) for number, name in enumerate(names, 1)}

    def _machine(self, name: str, number: int) -> Machine:
        namespace = NAMESPACES / f"{self._prefix}-{name}"
        return Machine(name, f"{self._subnet}.{number}", ("nsenter", f"--net={namespace}", "--"))

    # Building.

    def __enter__(self) -> Self:
        _sweep()
        try:
            self._build()
        except BaseException:
            self._remove()
            raise
        return self

    def _build(self) -> None:
        _ip([f"netns add {namespace}" for namespace in self._namespaces()])
        here, gate = f"{self._subnet}.254", f"{self._subnet}.253"
        for name, ip in self._ends():
            _ip([f"link add {name} type veth peer name up0 netns {self._prefix}-{name}"], self._router)
            _ip([f"link set {name} up", f"route add {ip} dev {name}"], self._router)
            lines = ["link set lo up", f"address add {ip}/32 dev up0", "link set up0 up"]
            _ip([*lines, f"route add {gate} dev up0", f"route add default via {gate}"], f"{self._prefix}-{name}")
        _ip([f"link add {self._cable} type veth peer name here netns {self._router}"])
        _ip([f"address add {here}/32 dev {self._cable}", f"link set {self._cable} up"])
        _ip(["link set lo up", f"address add {gate}/32 dev lo", "link set here up"], self._router)
        _ip([f"route add {here} dev here"], self._router)
        _ip([f"route add {gate} dev {self._cable}", f"route add {self._subnet}.0/24 via {gate}"])
        forwards = "echo 1 > /proc/sys/net/ipv4/ip_forward"
        _run(["nsenter", f"--net={NAMESPACES / self._router}", "--", "sh", "-c", forwards])

    def _ends(self) -> list[tuple[str, str]]:
        return [(machine.name, machine.ip) for machine in self.machines.values()]

    def _namespaces(self) -> list[str]:
        return [self._router, *(f"{self._prefix}-{name}" for name in self.machines)]

    # Cutting.

    def cut(self, one: str, *others: str) -> None:
        """Let nothing through between a machine and others."""
        for other in others:
            self.cut_one_way(one, other)
            self.cut_one_way(other, one)

    def cut_one_way(self, sender: str, receiver: str) -> None:
        """Let nothing through from one machine to another."""
        rule = f"iif {sender} to {self.machines[receiver].ip} blackhole"
        if rule not in self._cuts:
            _ip([f"rule add {rule}"], self._router)
            self._cuts.append(rule)

    def heal(self) -> None:
        """End all cuts."""
        _ip([f"rule delete {rule}" for rule in self._cuts], self._router)
        self._cuts.clear()

    # Removing.

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        _delete(namespace for namespace in self._namespaces() if (NAMESPACES / namespace).exists())


def _sweep() -> None:
    """Remove what is left of tests whose process is gone."""
    for path in sorted(NAMESPACES.glob(f"{PREFIX}-*-*")):
        owner = path.name.split("-")[1]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            _delete([path.name])


def _delete(namespaces: Iterable[str]) -> None:
    """The cables, addresses, routes and rules go with them."""
    for namespace in namespaces:
        subprocess.run(["ip", "netns", "delete", namespace], check=True, capture_output=True)


def _ip(lines: list[str], namespace: str = "") -> None:
    """Have `ip` do this in a namespace."""
    within = ["-n", namespace] if namespace else []
    _run(["ip", *within, "-batch", "-"], "\n".join(lines))


def _run(command: list[str], input: str = "") -> None:
    done = subprocess.run(command, input=input, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} with {input!r}: {done.stderr}"
