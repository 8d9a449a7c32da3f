"""The flags of mesos-run."""

from __future__ import annotations

import sys

from libprocess.flags import MANY, PATH, flag
from mesos.access.flags import JoiningFlags
from mesos.detector import MASTER, MasterPlace


class RunFlags(JoiningFlags, program="mesos-run", environment=("MESOS_RUN_", "MESOS_"), arguments="[COMMAND…]"):
    """Runs a command on a cluster, tells how it goes, and exits as the command does.

    The command is a line for the shell in --command, or a program and its arguments after the flags.
    """

    master: MasterPlace = flag(
        kind=MASTER, help="The master's web address, or where masters meet: zk://[user:password@]host:port,…/path."
    )
    command: str = flag(default="", help="A line for the shell.")
    name: str = flag(default="run", help="The framework's name, and its tasks'.")
    instances: int = flag(default=1, help="How many times to run it, side by side.")
    env: tuple[str, ...] = flag(default=(), kind=MANY, help="A variable NAME=VALUE; may be given several times.")
    follow: bool = flag(default=False, help="Print what it writes, as it writes it.")
    move: bool = flag(
        default=True,
        help="Run it anew elsewhere when it is killed because its machine is emptied. A command that must not run "
        "twice takes --no-move: it is over then.",
    )
    cpus: float = flag(default=1.0, help="Processors for each instance.")
    mem: float = flag(default=64.0, help="Megabytes of memory for each instance.")
    resources: str = flag(
        default="",
        help="All that each instance asks for, instead of --cpus and --mem, such as 'cpus:1;mem:64;disk:100'.",
    )
    python: str = flag(
        default=sys.executable, kind=PATH, help="For --follow: the Python on the agents that mesolite is installed in."
    )
