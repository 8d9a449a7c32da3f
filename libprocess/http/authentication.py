"""Authentication: who sends a request, proved by a password or by a signed token.

An authenticator knows nothing of what somebody may do; `libprocess.http.gate` asks it, and tells actors what it found.
The module for tokens takes a tenth of what every executor loads, and most clusters have none: it is loaded when needed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from libprocess.http.exchange import HttpRequest, Principal

TOKEN_ALGORITHM = "HS256"
TOKEN_KEY_BYTES_MIN = 32
"""A shorter key than the hash is long could be guessed from one token."""


class Authenticator(Protocol):
    """Tells who sends a request."""

    @property
    def challenge(self) -> str:
        """What WWW-Authenticate says to whoever did not prove it."""

    def authenticate(self, request: HttpRequest) -> Principal | None:
        """Who it is; None if that is not proved."""


class Basic:
    """A principal and its secret, in every request."""

    def __init__(self, realm: str, credentials: Mapping[str, str]) -> None:
        self.challenge = f'Basic realm="{realm}"'
        self._credentials = {principal: secret.encode() for principal, secret in credentials.items()}

    def authenticate(self, request: HttpRequest) -> Principal | None:
        """See Authenticator. It takes as long for a principal that there is as for any other."""
        given = _decoded(_of_scheme(request, "basic"))
        if given is None:
            return None
        principal, secret = given
        known = self._credentials.get(principal)
        is_right = hmac.compare_digest(_digest(known or b""), _digest(secret))
        return Principal(principal) if is_right and known is not None else None


class Bearer:
    """A token (a JWT signed with HS256) in every request, which somebody made who has the key.

    The claim `sub` is the principal, `exp` says until when a token counts, `nbf` from when on.
    """

    def __init__(self, realm: str, key: bytes, now: Callable[[], float]) -> None:
        self.challenge = f'Bearer realm="{realm}"'
        self._key = key
        self._now = now

    def authenticate(self, request: HttpRequest) -> Principal | None:
        """See Authenticator."""
        token = _of_scheme(request, "bearer")
        claims = read_token(token, self._key) if token else None
        if claims is None or not self._is_time(claims):
            return None
        subject = claims.get("sub", "")
        told = tuple(sorted((name, value) for name, value in claims.items() if isinstance(value, str)))
        return Principal(subject, told) if isinstance(subject, str) else None

    def _is_time(self, claims: dict[str, Any]) -> bool:
        now = self._now()
        begin, end = claims.get("nbf", now), claims.get("exp", now + 1)
        return isinstance(begin, int | float) and isinstance(end, int | float) and begin <= now < end


class Either:
    """Several ways, of which one is enough."""

    def __init__(self, *ways: Authenticator) -> None:
        self._ways = ways
        self.challenge = ", ".join(way.challenge for way in ways)

    def authenticate(self, request: HttpRequest) -> Principal | None:
        """See Authenticator."""
        found = (way.authenticate(request) for way in self._ways)
        return next((principal for principal in found if principal is not None), None)


def make_token(claims: Mapping[str, Any], key: bytes) -> str:
    """A token that says this."""
    import jwt

    return jwt.encode(dict(claims), key, algorithm=TOKEN_ALGORITHM)


def read_token(token: str, key: bytes) -> dict[str, Any] | None:
    """What a token says; None if it was not made with that key. Whether it still counts is another question."""
    import jwt

    unchecked = {
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
        "verify_aud": False,
        "verify_sub": False,
    }
    try:
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=[TOKEN_ALGORITHM], options=unchecked)  # type: ignore[arg-type]
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    return claims


def _digest(secret: bytes) -> bytes:
    """Secrets are compared by digests, which have one length."""
    return hashlib.sha256(secret).digest()


def _of_scheme(request: HttpRequest, scheme: str) -> str:
    """What the header Authorization holds, if it is of that scheme."""
    found, _, rest = request.header("authorization").partition(" ")
    return rest.strip() if found.lower() == scheme else ""


def _decoded(given: str) -> tuple[str, bytes] | None:
    try:
        principal, colon, secret = base64.b64decode(given, validate=True).partition(b":")
        return (principal.decode(), secret) if colon else None
    except (binascii.Error, ValueError):
        return None
