"""Detection: who is the master now? A detector tells agents and schedulers, at each change.

A master that stands alone is found from the address of its web port. Each way of detection is an actor of its own that
sends its subscriber the same MasterDetectedMessage.
"""

from __future__ import annotations

from mesos.detector.detector import MasterDetector, MasterFinder
from mesos.detector.finder import (
    MASTER,
    HttpMasterFinder,
    MasterNotFoundError,
    find_master,
    parse_master,
    require_master,
)
from mesos.detector.messages import MasterDetectedMessage, MasterFoundMessage, MasterNotFoundMessage

__all__ = [
    "MASTER",
    "HttpMasterFinder",
    "MasterDetectedMessage",
    "MasterDetector",
    "MasterFinder",
    "MasterFoundMessage",
    "MasterNotFoundError",
    "MasterNotFoundMessage",
    "find_master",
    "parse_master",
    "require_master",
]
