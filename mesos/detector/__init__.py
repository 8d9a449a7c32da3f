"""Detection: who is the master now? A detector tells agents and schedulers, at each change.

A master that stands alone is found from the address of its web port, one of several through ZooKeeper. The detector is
an actor; each way of finding is a port of its own.
"""

from __future__ import annotations

from mesos.detector.detector import MasterDetector, MasterFinder
from mesos.detector.finder import HttpMasterFinder, MasterNotFoundError, find_master
from mesos.detector.messages import MasterDetectedMessage, MasterFoundMessage, MasterNotFoundMessage
from mesos.detector.place import MASTER, MasterPlace, master_finder, parse_master, require_master

__all__ = [
    "MASTER",
    "HttpMasterFinder",
    "MasterDetectedMessage",
    "MasterDetector",
    "MasterFinder",
    "MasterFoundMessage",
    "MasterNotFoundError",
    "MasterNotFoundMessage",
    "MasterPlace",
    "find_master",
    "master_finder",
    "parse_master",
    "require_master",
]
