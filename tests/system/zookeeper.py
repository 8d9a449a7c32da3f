"""A real ZooKeeper ensemble on this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from kazoo.client import KazooClient

from tools.local.cluster import free_ports

JAR = Path("/usr/share/java/zookeeper.jar")
JAVA = (
    *("java", "-Xmx64m", "-Xms16m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss256k"),
    *("-Dzookeeper.admin.enableServer=false", "-Dzookeeper.jmx.log4j.disable=true"),
)
MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
SETTINGS = "tickTime=200\ninitLimit=25\nsyncLimit=10\nminSessionTimeout=400\nmaxSessionTimeout=60000\n"
START_SECONDS = 60.0


class ZooKeeper:
    """Three servers, or as many as said; on leaving, none runs."""

    def __init__(self, directory: Path, servers: int = 3) -> None:
        if shutil.which("java") is None or not JAR.exists():
            pytest.skip("there is no ZooKeeper here; as root: apt-get install zookeeper")
        self._ports = free_ports(servers)
        peers = [free_ports(2) for _ in range(servers)]
        ensemble = "".join(f"server.{number}=127.0.0.1:{a}:{b}\n" for number, (a, b) in enumerate(peers, 1))
        self._directories = [directory / str(number) for number in range(1, servers + 1)]
        self.processes: list[subprocess.Popen[bytes]] = []
        for number, (place, port) in enumerate(zip(self._directories, self._ports, strict=True), 1):
            place.mkdir(parents=True)
            (place / "myid").write_text(str(number))
            own = f"dataDir={place}\nclientPort={port}\nclientPortAddress=127.0.0.1\n"
            (place / "zoo.cfg").write_text(SETTINGS + own + ensemble)

    @property
    def servers(self) -> str:
        """The addresses for clients, as a URL has them."""
        return ",".join(f"127.0.0.1:{port}" for port in self._ports)

    def url(self, path: str, credentials: str = "") -> str:
        """A path on it."""
        return f"zk://{credentials}{'@' if credentials else ''}{self.servers}/{path}"

    def client(self) -> KazooClient:
        """Somebody else's client, connected; to be stopped."""
        client = KazooClient(self.servers)
        client.start(START_SECONDS)
        return client

    def __enter__(self) -> Self:
        self.processes = [self._started(place) for place in self._directories]
        try:
            client = self.client()
        except BaseException:
            self._stop()
            raise
        client.stop()
        return self

    @staticmethod
    def _started(place: Path) -> subprocess.Popen[bytes]:
        command = [*JAVA, "-cp", f"{place}:{JAR}", MAIN, str(place / "zoo.cfg")]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def restart(self, number: int) -> None:
        """Kill a server, if it is not dead yet, and start it again."""
        self.processes[number].kill()
        self.processes[number].wait()
        self.processes[number] = self._started(self._directories[number])

    @property
    def leader(self) -> int | None:
        """The number of the server that leads the others; None while none does."""
        return next((number for number, port in enumerate(self._ports) if b"Mode: leader" in _asked(port)), None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def _asked(port: int) -> bytes:
    """What a server says of itself; nothing while it does not answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as server:
            server.sendall(b"srvr")
            server.settimeout(1)
            return b"".join(iter(lambda: server.recv(4096), b""))
    except OSError:
        return b""
