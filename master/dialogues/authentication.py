"""Authentication: schedulers and agents prove who they are, by their principals' secrets or by their nodes' keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.timers import Timer
from master.dialogues.base import Dialogue, log
from mesos.access.credentials import Credential
from mesos.access.gate import name_of
from mesos.access.proof import NONCE_BYTES, is_proof
from mesos.messages.authentication import (
    AuthenticatedMessage,
    AuthenticateMessage,
    AuthenticationRefusedMessage,
    ChallengeMessage,
    ProofMessage,
)

WRONG = "Failed to authenticate: there is no such principal here, or its secret is another"
REQUIRED = "Not authenticated: this master wants to know who registers; give a credential that it knows"


class ChallengeTimeoutMessage(Message, frozen=True):
    """Master → itself, when a challenge has been out for too long."""

    pid: PID


@dataclass(frozen=True)
class Challenge:
    """What somebody was asked to prove."""

    principal: str
    nonce: bytes
    patience: Timer


class Authentication(Dialogue):
    """Knows who is behind which PID, as long as the link to it stands."""

    credentials: Mapping[str, str]
    """The secrets of principals."""
    challenges: dict[PID, Challenge]
    proved: dict[PID, str]
    """The principals of those who proved them."""

    def authenticate(self, message: AuthenticateMessage) -> None:
        """See the message. Whoever asks is challenged, so that nobody learns which principals there are.

        Who asks twice has not had the answer: it gets the same.
        """
        who, challenge = self.sender, self.challenges.get(self.sender)
        if challenge is None or challenge.principal != message.principal:
            self.forget_challenge(who)
            nonce = self.chance.getrandbits(8 * NONCE_BYTES).to_bytes(NONCE_BYTES, "big")
            patience = self.delay(self.flags.authentication_v0_timeout_seconds, ChallengeTimeoutMessage(who))
            challenge = self.challenges[who] = Challenge(message.principal, nonce, patience)
            self.link(who)
        self.reply(ChallengeMessage(challenge.nonce))

    def proof(self, message: ProofMessage) -> None:
        """See the message."""
        challenge = self.challenges.get(self.sender)
        if challenge is None or challenge.nonce != message.nonce:
            self.ignore("it is the answer to no challenge that stands")
            return
        self.forget_challenge(self.sender)
        secret = self.credentials.get(challenge.principal)
        credential = Credential(challenge.principal, secret or "")
        is_right = is_proof(message.proof, credential, challenge.nonce, self.sender)
        if secret is None or not is_right:
            log.warning("%s is not proved to be principal '%s'", self.sender, challenge.principal)
            self.proved.pop(self.sender, None)
            self.reply(AuthenticationRefusedMessage(WRONG))
            return
        self.proved[self.sender] = challenge.principal
        self.reply(AuthenticatedMessage())

    def challenge_timeout(self, message: ChallengeTimeoutMessage) -> None:
        """See the message."""
        if self.is_own():
            self.forget_challenge(message.pid)

    def forget_challenge(self, pid: PID) -> None:
        """It does not count any more."""
        challenge = self.challenges.pop(pid, None)
        if challenge is not None:
            challenge.patience.cancel()

    def peer_exited(self, pid: PID) -> None:
        """Whoever is there next has to prove it anew."""
        self.forget_challenge(pid)
        self.proved.pop(pid, None)

    def unlink(self, to: PID) -> None:
        """Whoever proved something stays watched: what was proved ends with its link."""
        if to not in self.proved and to not in self.challenges:
            super().unlink(to)

    # Who registers.

    def proved_principal(self) -> str | None:
        """Whom the sender of the mail at hand proved to be."""
        return self.proved.get(self.sender) or name_of(self.principal)

    def is_unproved(self, required: bool) -> bool:
        """Whether the sender had to prove who it is and did not; then it is told so."""
        is_ours = self.sender.address == self.pid.address  # it speaks for who proved it at the HTTP door
        if not required or is_ours or self.proved_principal() is not None:
            return False
        log.warning("%s wants to register and is not authenticated", self.sender)
        self.reply(AuthenticationRefusedMessage(REQUIRED, required=True))
        return True
