"""mesos-local: a cluster with one command."""

from __future__ import annotations

import os
import select
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from libprocess.endings import end_as_interrupted
from libprocess.errors import OperatorError, told_to_the_operator
from libprocess.flags import PATH, PORT, Flags, flag
from mesos.resources import Resources
from tools.local.cluster import LocalCluster

PROGRAM = "mesos-local"


class LocalFlags(Flags, program=PROGRAM, environment=("MESOS_LOCAL_",)):
    """Runs a master and some agents on this machine, until Ctrl-C."""

    agents: int = flag(default=1, help="How many agents.")
    port: int = flag(default=5050, kind=PORT, help="Where the master's web page is; 0 is any free port.")
    work_dir: str = flag(
        default="", kind=PATH, help="Where logs, sandboxes and what must last are kept; otherwise nothing is."
    )
    resources: str = flag(
        default="",
        help="What each agent has, such as 'cpus:2;mem:1024'. Of what is not named it has all that this machine has, "
        "as if it were alone here; only the ports are shared out.",
    )


def main() -> None:
    """Run a local cluster until it is told to end."""
    end_as_interrupted()
    with told_to_the_operator(PROGRAM), suppress(KeyboardInterrupt):
        run(LocalFlags.load())


def run(flags: LocalFlags) -> None:
    """Start the cluster, say where it is, and tell of programs that end before they are told to."""
    check(flags)
    with ExitStack() as stack:
        work_dir = flags.work_dir or stack.enter_context(tempfile.TemporaryDirectory(prefix="mesos-local-"))
        cluster = LocalCluster(Path(work_dir), flags.agents, flags.port, flags.resources)
        stack.enter_context(cluster)
        print(f"master  http://{cluster.address}/  pid {cluster.master.pid}")
        for agent in cluster.agents:
            print(f"{agent.name}  pid {agent.pid}")
        print(f"logs    {cluster.work_dir}/*.log")
        print("Ctrl-C ends all of them.", flush=True)
        watch(cluster)


def check(flags: LocalFlags) -> None:
    """OperatorError for what no cluster can be made of."""
    if flags.agents < 1:
        raise OperatorError(f"--agents: expected 1 or more, found {flags.agents}")
    try:
        Resources.parse(flags.resources)
    except ValueError as error:
        raise OperatorError(f"--resources: {error}") from None


def watch(cluster: LocalCluster) -> None:
    """Tell of every program that ends, until all have."""
    running = {os.pidfd_open(daemon.pid): daemon for daemon in cluster.daemons}
    while running:
        ended, _, _ = select.select(list(running), [], [])
        for descriptor in ended:
            os.close(descriptor)
            daemon = running.pop(descriptor)
            print(f"{PROGRAM}: {daemon.name} ended with status {daemon.exit_code}; see {daemon.log}", file=sys.stderr)


if __name__ == "__main__":
    main()
