"""Before a scheduler or an agent registers, where the master wants to know who it is."""

from __future__ import annotations

from libprocess.message import Message


class AuthenticateMessage(Message, frozen=True):
    """Scheduler or agent → master, with back-off until it is answered: I am this principal, and can prove it."""

    principal: str


class ChallengeMessage(Message, frozen=True):
    """Master → whoever says who it is: prove it with this, which nobody was ever asked before."""

    nonce: bytes


class ProofMessage(Message, frozen=True):
    """Scheduler or agent → master, as answer to the challenge with this: only who has the secret can make the proof."""

    nonce: bytes
    proof: bytes


class AuthenticatedMessage(Message, frozen=True):
    """Master → scheduler or agent, as answer to its proof: it is right. Register now."""


class AuthenticationRefusedMessage(Message, frozen=True):
    """Master → scheduler or agent: the proof is wrong, or there was none and it is `required` to register.

    Whoever has a credential and has not shown it to this master yet does so then.
    """

    reason: str
    required: bool = False
