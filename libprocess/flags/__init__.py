"""Flags: a program's settings, declared once as a typed frozen class, and read from wherever operators put them.

    class MasterFlags(Flags, program="mesos-master", environment=("MESOS_",), directory="/etc/mesos-master"):
        \"\"\"Runs a master.\"\"\"

        port: int = flag(default=5050, kind=PORT, help="Where to listen.")
        work_dir: str = flag(kind=PATH, help="Where the registry is kept.")
        agent_ping_timeout_seconds: float = flag(default=15.0, kind=DURATION, help="How long a ping may take.")

    flags = MasterFlags.load()

The first of these that has a value wins: the command line, the environment, the directory with one file per flag, the
default. A value `file://PATH` stands for what that file holds.
"""

from __future__ import annotations

from libprocess.flags.declaration import Flags, flag
from libprocess.flags.kinds import BYTES, DURATION, LIST, MANY, PATH, PORT, Kind

__all__ = ["BYTES", "DURATION", "LIST", "MANY", "PATH", "PORT", "Flags", "Kind", "flag"]
