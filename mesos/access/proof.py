"""Proofs: what somebody who has a principal's secret makes of a challenge, and nobody else can."""

from __future__ import annotations

import hashlib
import hmac

from libprocess.pid import PID
from mesos.access.credentials import Credential

NONCE_BYTES = 32


def prove(credential: Credential, nonce: bytes, pid: PID) -> bytes:
    """The proof that the actor of that PID is the principal: it is of no use to another actor, or another time."""
    said = b"\0".join((b"mesos", nonce, credential.principal.encode(), str(pid).encode()))
    return hmac.new(credential.secret.encode(), said, hashlib.sha256).digest()


def is_proof(proof: bytes, credential: Credential, nonce: bytes, pid: PID) -> bool:
    """Whether that is it; takes as long for a wrong one."""
    return hmac.compare_digest(proof, prove(credential, nonce, pid))
