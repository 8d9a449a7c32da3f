"""The flags of mesos-batch."""

from __future__ import annotations

import sys

from libprocess.flags import PATH, flag
from mesos.access.flags import JoiningFlags
from mesos.detector import MASTER, MasterPlace


class BatchFlags(JoiningFlags, program="mesos-batch", environment=("MESOS_BATCH_", "MESOS_"), arguments="COMMAND…"):
    """Runs a command for each line of its input on a cluster, and prints what they write in the order of the input.

    In COMMAND, {} stands for the line; without it, the line comes last. One word is a line for the shell, several are a
    program and its arguments: find / -name '*.txt' | mesos-batch --master=127.0.0.1:5050 'wc -w < {}'
    """

    master: MasterPlace = flag(
        kind=MASTER, help="The master's web address, or where masters meet: zk://[user:password@]host:port,…/path."
    )
    cpus: float = flag(default=1.0, help="Processors for each task.")
    mem: float = flag(default=64.0, help="Megabytes of memory for each task.")
    jobs: int = flag(default=0, help="How many tasks run at once; 0 is as many as the cluster has room for.")
    output: str = flag(
        default="", kind=PATH, help="A new directory for what the tasks write, and for a results.jsonl; prints nothing."
    )
    name: str = flag(default="batch", help="The framework's name.")
    python: str = flag(
        default=sys.executable, kind=PATH, help="The Python on the agents that mesolite is installed in."
    )
