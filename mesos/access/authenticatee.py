"""The side of whoever proves to a master who it is: schedulers and agents, before they register."""

from __future__ import annotations

from libprocess.pid import PID
from libprocess.process import Process
from mesos.access.credentials import Credential
from mesos.access.proof import prove
from mesos.messages.authentication import (
    AuthenticatedMessage,
    AuthenticateMessage,
    AuthenticationRefusedMessage,
    ChallengeMessage,
    ProofMessage,
)


class Authenticatee(Process):
    """Has a credential, or has none and hopes that it is not asked for."""

    credential: Credential | None = None
    _is_identified = False
    """The master that counts knows who this is."""

    # What it is part of says.

    def _is_from_master(self) -> bool:
        """Whether the message at hand is from the master that counts."""
        raise NotImplementedError

    def _register_identified(self) -> None:
        """Go on: the master knows who this is."""
        raise NotImplementedError

    def _not_identified(self, reason: str) -> None:
        """The master will not know who this is."""
        raise NotImplementedError

    # What it does.

    def _identify(self, master: PID) -> bool:
        """Say who this is, if the master is still to be told; False if there is nothing to tell."""
        if self.credential is None or self._is_identified:
            return False
        self.send(master, AuthenticateMessage(self.credential.principal))
        return True

    def challenge(self, message: ChallengeMessage) -> None:
        """See the message."""
        if self._is_from_master() and self.credential is not None:
            self.reply(ProofMessage(message.nonce, prove(self.credential, message.nonce, self.pid)))

    def authenticated(self, message: AuthenticatedMessage) -> None:
        """See the message."""
        if self._is_from_master() and not self._is_identified:
            self._is_identified = True
            self._register_identified()

    def authentication_refused(self, message: AuthenticationRefusedMessage) -> None:
        """See the message. One that was identified is not any more: its next attempt begins with that."""
        if not self._is_from_master():
            return
        self._is_identified = False
        if not message.required or self.credential is None:
            self._not_identified(message.reason)
