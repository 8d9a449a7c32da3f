"""Election: how the nodes of a simulated cluster learn who leads, as from an ensemble that they watch."""

from __future__ import annotations

from libprocess import PID, ExitedMessage, Message, Process, Timer
from mesos.detector import MasterDetectedMessage
from mesos.types import MasterInfo

AGAIN_SECONDS = 5.0


class LeaderChangedMessage(Message, frozen=True):
    """Cluster → a watcher, at each election: this master leads."""

    leader: MasterInfo


class TryAgainMessage(Message, frozen=True):
    """Watcher → itself, some time after the link to the leader broke: it may still lead."""


class Watcher(Process):
    """A detector that is told of each new leader at once, also while the old one lives.

    As every detector does, it keeps a link to the master it told of, and when that breaks, tells of a leader again.
    """

    def __init__(self, subscriber: PID, leader: MasterInfo | None) -> None:
        self.subscriber = subscriber
        self.leader = leader
        self.again: Timer | None = None

    def initialize(self) -> None:
        """The first turn: say who leads already."""
        self._announce()

    def leader_changed(self, message: LeaderChangedMessage) -> None:
        """See the message."""
        if self.leader is not None:
            self.unlink(self.leader.pid)
        if self.again is not None:
            self.again.cancel()
        self.leader = message.leader
        self._announce()

    def exited(self, message: ExitedMessage) -> None:
        """The link to the leader broke."""
        self.send(self.subscriber, MasterDetectedMessage(None))
        self.again = self.delay(AGAIN_SECONDS, TryAgainMessage())

    def try_again(self, message: TryAgainMessage) -> None:
        """See the message."""
        self._announce()

    def _announce(self) -> None:
        if self.leader is not None:
            self.link(self.leader.pid)
            self.send(self.subscriber, MasterDetectedMessage(self.leader))
