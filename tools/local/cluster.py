"""A master and some agents, started together and ended together."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from libprocess.errors import OperatorError
from libprocess.pid import Address
from tools.local.daemon import Daemon

HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.02
FIRST_TASK_PORT = 31000
TASK_PORTS = 1000
"""For each agent: they share the machine, so no port may be offered twice."""


class ClusterError(OperatorError):
    """The cluster did not start."""


class LocalCluster:
    """Real processes on this machine; everything of theirs is below `work_dir`, logs included.

        with LocalCluster(tmp_path, agents=2, resources="cpus:2;mem:512") as cluster:
            print(cluster.address)

    Further flags for the programs are `master_flags` and `agent_flags`. On leaving, nothing is left running.
    """

    def __init__(
        self,
        work_dir: Path,
        agents: int = 1,
        port: int = 0,
        resources: str = "",
        host: str = HOST,
        master_flags: Sequence[str] = (),
        agent_flags: Sequence[str] = (),
    ) -> None:
        self.work_dir = work_dir.absolute()
        web_port, actor_port = free_ports(2)
        self.address = Address(host, port or web_port)
        """Of the master's web page, which is all that others need to know."""
        self.master = self._daemon(
            "master",
            f"--ip={host}",
            f"--port={self.address.port}",
            *([] if port else [f"--actor_port={actor_port}"]),
            *master_flags,
        )
        self.agents = [self._agent(number, resources, agent_flags) for number in range(1, agents + 1)]

    def _agent(self, number: int, resources: str, flags: Sequence[str]) -> Daemon:
        if "ports" not in resources:
            first = FIRST_TASK_PORT + (number - 1) * TASK_PORTS
            resources = ";".join(filter(None, (resources, f"ports:[{first}-{first + TASK_PORTS - 1}]")))
        own = (f"--master={self.address}", f"--ip={self.address.host}", "--port=0", f"--resources={resources}")
        return self._daemon(f"agent-{number}", *own, *flags)

    def _daemon(self, name: str, *flags: str) -> Daemon:
        work_dir = self.work_dir / name
        module = name.partition("-")[0]
        ending = signal.SIGUSR1 if module == "agent" else signal.SIGTERM  # an agent's SIGTERM leaves tasks to the next
        return Daemon(name, module, [f"--work_dir={work_dir}", *flags], self.work_dir / f"{name}.log", ending)

    @property
    def daemons(self) -> list[Daemon]:
        """All its programs."""
        return [self.master, *self.agents]

    def start(self) -> None:
        """Start all, and wait until every agent is registered. ClusterError says what went wrong; nothing runs then."""
        self.work_dir.mkdir(parents=True, exist_ok=True)
        try:
            self.start_master()
            for agent in self.agents:
                agent.start()
            self.wait_until(lambda: self.active_agents() == len(self.agents), "its agents registered")
        except BaseException:
            self.stop()
            raise

    def start_master(self) -> None:
        """Start the master, for the first time or again, and wait until it has read its registry and can be asked."""
        self.master.start()
        self.wait_until(lambda: self.master.is_ready and self.active_agents() is not None, "the master serves")

    def stop(self) -> None:
        """End all: the agents first, so that they end their tasks and say so."""
        for daemon in reversed(self.daemons):
            daemon.stop(STOP_SECONDS)

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
        """Wait for something to come true; ClusterError if it does not in time, or if a program ends meanwhile."""
        deadline = time.monotonic() + seconds
        while not condition():
            ended = next((daemon for daemon in self.daemons if daemon.exit_code is not None), None)
            if ended is not None:
                raise ClusterError(f"{ended.name} ended with status {ended.exit_code}: {ended.last_words()}")
            if time.monotonic() > deadline:
                raise ClusterError(f"within {seconds:g} s it did not come true that {what}; see {self.work_dir}/*.log")
            time.sleep(POLL_SECONDS)

    def active_agents(self) -> int | None:
        """How many agents the master counts on; None while it does not answer."""
        try:
            agents: list[dict[str, bool]] = self.get("/state")["slaves"]
        except OSError:
            return None
        return sum(agent["active"] for agent in agents)

    def get(self, path: str) -> Any:
        """What the master's web server says at a path, from JSON. OSError if it does not."""
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as response:
            return json.load(response)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now."""
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports
