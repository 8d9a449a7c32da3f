"""A real ZooKeeper ensemble on this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from kazoo.client import KazooClient

from libprocess.pid import Address
from tests.system.machines import HERE, Machine
from tests.system.waiting import eventually
from tools.local.cluster import free_ports

JAR = Path("/usr/share/java/zookeeper.jar")
JAVA = (
    *("java", "-Xmx64m", "-Xms16m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss256k"),
    "-XX:-UsePerfData",  # no file in /tmp that stays when it is killed
    *("-Dzookeeper.admin.enableServer=false", "-Dzookeeper.jmx.log4j.disable=true"),
)
MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
SETTINGS = "tickTime=200\ninitLimit=25\nsyncLimit=10\nminSessionTimeout=400\nmaxSessionTimeout=60000\n"
COMMANDS = "4lw.commands.whitelist=srvr,cons\n"
START_SECONDS = 60.0


class ZooKeeper:
    """Three servers, or one on each of these machines; on leaving, none runs."""

    def __init__(
        self, directory: Path, machines: Sequence[Machine] = (HERE, HERE, HERE), is_awaited: bool = True
    ) -> None:
        if shutil.which("java") is None or not JAR.exists():
            pytest.skip("there is no ZooKeeper here; as root: apt-get install zookeeper")
        self._machines = machines
        self._is_awaited = is_awaited
        ips = [machine.ip for machine in machines]
        self._addresses = [Address(ip, port) for ip, port in zip(ips, free_ports(len(ips)), strict=True)]
        peers = [(ip, *free_ports(2)) for ip in ips]
        ensemble = "".join(f"server.{number}={ip}:{a}:{b}\n" for number, (ip, a, b) in enumerate(peers, 1))
        self._directories = [directory / str(number) for number in range(1, len(ips) + 1)]
        self.processes: list[subprocess.Popen[bytes]] = []
        for number, (place, (ip, port)) in enumerate(zip(self._directories, self._addresses, strict=True), 1):
            place.mkdir(parents=True)
            (place / "myid").write_text(str(number))
            own = f"dataDir={place}\nclientPort={port}\nclientPortAddress={ip}\n"
            (place / "zoo.cfg").write_text(SETTINGS + COMMANDS + own + ensemble)

    @property
    def servers(self) -> str:
        """The addresses for clients, as a URL has them."""
        return ",".join(map(str, self._addresses))

    def url(self, path: str, credentials: str = "") -> str:
        """A path on it."""
        return f"zk://{credentials}{'@' if credentials else ''}{self.servers}/{path}"

    def client(self) -> KazooClient:
        """Somebody else's client, connected; to be stopped."""
        client = KazooClient(self.servers)
        client.start(START_SECONDS)
        return client

    def __enter__(self) -> Self:
        self.processes = [self._started(number) for number in range(len(self._directories))]
        try:
            if self._is_awaited:
                self.client().stop()
        except BaseException:
            self._stop()
            raise
        return self

    def _started(self, number: int) -> subprocess.Popen[bytes]:
        place = self._directories[number]
        command = [*self._machines[number].enter, *JAVA, "-cp", f"{place}:{JAR}", MAIN, str(place / "zoo.cfg")]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def restart(self, number: int) -> None:
        """Kill a server, if it is not dead yet, and start it again."""
        self.processes[number].kill()
        self.processes[number].wait()
        self.processes[number] = self._started(number)

    @property
    def leader(self) -> int | None:
        """The number of the server that leads the others; None while none does."""
        return next((number for number, at in enumerate(self._addresses) if "Mode: leader" in _asked(at, "srvr")), None)

    @property
    def is_whole(self) -> bool:
        """Whether all servers are there, and serve: one may be missing then."""
        return all("Mode: " in _asked(address, "srvr") for address in self._addresses)

    def await_leader(self, other_than: int | None = None) -> int:
        """Wait until a server leads, and another one than this."""
        [leader] = eventually(lambda: {self.leader} - {None, other_than}, "another server leads")
        return leader

    def servers_of(self, path: str) -> set[int]:
        """The numbers of the servers to which who made the oldest entry at a path is connected, as far as they know."""
        client = self.client()
        try:
            names = sorted(name for name in client.get_children(path) if "_" in name)
            stat = client.exists(f"{path}/{names[0]}") if names else None
        finally:
            client.stop()
        if stat is None:
            return set()
        session = f"sid={stat.ephemeralOwner:#x},"
        return {number for number, at in enumerate(self._addresses) if session in _asked(at, "cons")}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def _asked(address: Address, command: str) -> str:
    """What a server says of itself; nothing while it does not answer."""
    try:
        with socket.create_connection(address, timeout=1) as server:
            server.sendall(command.encode())
            server.settimeout(1)
            return b"".join(iter(lambda: server.recv(4096), b"")).decode()
    except OSError:
        return ""
