"""Several masters and some agents, as an operator starts them, that meet in ZooKeeper."""

from __future__ import annotations

import http.client
import json
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from libprocess.pid import Address
from tests.system.machines import HERE, Machine
from tests.system.waiting import eventually
from tools.local.cluster import free_ports
from tools.local.daemon import Daemon

MASTER = ("--zk_session_timeout=2secs", "--agent_ping_timeout=500ms", "--max_agent_ping_timeouts=5")
AGENT = ("--registration_backoff_factor=100ms",)
TRUSTED = ("--insecure",)
RESOURCES = "cpus:2;mem:512;ports:[]"
SECONDS = 30.0
JSON = "application/json"


class Masters:
    """Its programs, with the `url` where they meet. On leaving, nothing is left running."""

    def __init__(
        self,
        work_dir: Path,
        url: str,
        masters: int = 3,
        agents: int = 2,
        flags: tuple[str, ...] = (),
        resources: str = RESOURCES,
        machines: Mapping[str, Machine] | None = None,
    ) -> None:
        """`flags` are for the masters. `master-0` and so on have the machines of their names, if there are any."""
        self.work_dir = work_dir
        self._machines = machines or {}
        ports = free_ports(masters)
        self.addresses = [Address(self._machine("master", number).ip, port) for number, port in enumerate(ports)]
        self.masters = [
            self._daemon("master", number, f"--zk={url}", f"--port={port}", "--actor_port=0", *MASTER, *flags)
            for number, port in enumerate(ports)
        ]
        own = (f"--master={url}", "--port=0", f"--resources={resources}", *AGENT)
        self.agents = [self._daemon("agent", number, *own) for number in range(agents)]

    def _machine(self, module: str, number: int) -> Machine:
        return self._machines.get(f"{module}-{number}", HERE)

    def _daemon(self, module: str, number: int, *flags: str) -> Daemon:
        name, machine = f"{module}-{number}", self._machine(module, number)
        place = (f"--work_dir={self.work_dir / name}", f"--ip={machine.ip}", *(() if machine is HERE else TRUSTED))
        return Daemon(name, module, [*place, *flags], self.work_dir / f"{name}.log", enter=machine.enter)

    @property
    def leaders(self) -> list[int]:
        """The numbers of the masters that say that they lead."""
        return [number for number in range(len(self.masters)) if self.metric(number, "master/elected") == 1]

    def metric(self, number: int, name: str) -> float | None:
        """A number of a master's; None while it does not answer."""
        try:
            return float(self.get(number, "/metrics/snapshot")[name])
        except OSError:
            return None

    def get(self, number: int, path: str) -> Any:
        """What a master says at a path, from JSON. OSError if it does not."""
        with urllib.request.urlopen(f"http://{self.addresses[number]}{path}", timeout=0.5) as response:
            return json.load(response)

    def sends_to(self, number: int) -> Address | None:
        """To whose page a standby sends whoever asks for the leader's; None while it does not."""
        connection = http.client.HTTPConnection(*self.addresses[number], timeout=0.5)
        try:
            connection.request("GET", "/redirect")
            location = connection.getresponse().getheader("Location", "")
        except OSError:
            return None
        finally:
            connection.close()
        return Address.parse(location.removeprefix("//")) if location else None

    def send(self, number: int, method: str, path: str, body: Any) -> int:
        """Tell a master something, as JSON; returns its answer's status."""
        request = urllib.request.Request(
            f"http://{self.addresses[number]}{path}", json.dumps(body).encode(), {"Content-Type": JSON}, method=method
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)

    def await_leader(self, other_than: int = -1) -> int:
        """Wait until exactly one master leads, and another one than this."""

        def other() -> list[int]:
            leaders = self.leaders
            return leaders if len(leaders) == 1 and leaders != [other_than] else []

        [leader] = eventually(other, "another master leads")
        return leader

    def await_agents(self, leader: int) -> None:
        """Wait until all agents are registered with it."""
        count = len(self.agents)
        eventually(lambda: self.metric(leader, "master/slaves_active") == count, "all agents are registered")

    def __enter__(self) -> Self:
        self.work_dir.mkdir(parents=True, exist_ok=True)
        for daemon in (*self.masters, *self.agents):
            daemon.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for daemon in (*self.agents, *self.masters):
            daemon.stop(SECONDS)
