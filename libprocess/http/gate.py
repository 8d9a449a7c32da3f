"""The gate of a node's HTTP door: who gets through to which route.

A route says what kind of access it needs; for each kind there may be an authenticator. What a principal may do with the
route is for its actor to decide, which finds the principal in the request; for routes of actors that know nothing of
that, `may` is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from libprocess.http.authentication import Authenticator
from libprocess.http.exchange import HttpRequest, HttpResponse, Principal

OPEN = "open"
"""For everybody: whether the node lives, its version."""
READ = "read"
WRITE = "write"


class Guard(Protocol):
    """Looks at each request before it becomes an actor's mail."""

    def admit(self, request: HttpRequest, access: str, paths: Iterable[str]) -> HttpRequest | HttpResponse:
        """The request as its actor is to see it, or why it does not get there.

        `paths` are all the names of its route.
        """


class Gate:
    """A guard that authenticates, refuses what is disabled, and asks `may` about the rest."""

    def __init__(
        self,
        authenticators: Mapping[str, Authenticator] | None = None,
        disabled: Iterable[str] = (),
        may: Callable[[Principal | None, str], bool] | None = None,
    ) -> None:
        self._authenticators = dict(authenticators or {})
        self._disabled = frozenset(map(plain, disabled))
        self._may = may or (lambda principal, path: True)

    def admit(self, request: HttpRequest, access: str, paths: Iterable[str]) -> HttpRequest | HttpResponse:
        """See Guard. What somebody proved themselves with does not become mail: mail is traced."""
        names = [plain(path) for path in paths]
        if not self._disabled.isdisjoint(names):
            return HttpResponse.forbidden(f"{request.path} is disabled here")
        authenticator = self._authenticators.get(access)
        principal = authenticator.authenticate(request) if authenticator is not None else None
        if authenticator is not None and principal is None:
            return HttpResponse.error(401, headers=(("WWW-Authenticate", authenticator.challenge),))
        if not all(self._may(principal, name) for name in names):
            return HttpResponse.forbidden(f"{who(principal)} may not use {request.path}")
        headers = tuple(header for header in request.headers if header[0] != "authorization")
        return msgspec.structs.replace(request, principal=principal, headers=headers)


def plain(path: str) -> str:
    """A path as it is compared: `/state/` and `/state.json` are `/state`."""
    return "/" + path.strip("/").removesuffix(".json")


def who(principal: Principal | None) -> str:
    """A principal in words."""
    return (
        f"principal '{principal.value}'" if principal is not None and principal.value else "who did not say who it is"
    )
