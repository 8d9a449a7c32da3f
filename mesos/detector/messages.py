"""What the detection of masters says."""

from __future__ import annotations

from libprocess.message import Message
from mesos.types import MasterInfo


class MasterDetectedMessage(Message, frozen=True):
    """Detector → whoever it works for, at each change: this master leads now; None while none is known."""

    master: MasterInfo | None


class MasterFoundMessage(Message, frozen=True):
    """Finder → the detector that asked it: this is the master."""

    master: MasterInfo


class MasterNotFoundMessage(Message, frozen=True):
    """Finder → the detector that asked it: there is none, and why, in one line for the operator."""

    reason: str


class FindMasterMessage(Message, frozen=True):
    """Detector → itself, when its back-off is over: ask the finder again."""
