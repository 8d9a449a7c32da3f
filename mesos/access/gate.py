"""The gate at the HTTP door of a master or an agent, as its flags want it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from libprocess.errors import OperatorError
from libprocess.http.authentication import Authenticator, Basic, Bearer, Either
from libprocess.http.exchange import Principal
from libprocess.http.gate import READ, WRITE, Gate
from mesos.access.acls import Acls
from mesos.access.credentials import read_token_key
from mesos.access.flags import AccessFlags

SCHEDULER = "scheduler"
"""The access of schedulers that speak HTTP."""
EXECUTOR = "executor"
"""That of executors."""

SUFFIXES = {READ: "readonly", WRITE: "readwrite", SCHEDULER: "scheduler", EXECUTOR: "executor"}

GUARDED_PATHS = frozenset(
    {
        *("/metrics", "/metrics/snapshot", "/__processes__", "/files/debug", "/logging/toggle", "/system/stats"),
        *("/monitor/statistics", "/monitor/history", "/containers", "/containerizer/debug", "/help", "/help/*"),
        "/registrar(1)/registry",
    }
)
"""What the action get_endpoints is about: routes that show or set what is nobody's in particular."""


def make_gate(
    program: str, flags: AccessFlags, credentials: Mapping[str, str], now: Callable[[], float], **more: bool
) -> Gate:
    """A gate for `mesos-<program>`; `more` says of other kinds of access whether they are authenticated."""
    asked = {READ: flags.authenticate_http_readonly, WRITE: flags.authenticate_http_readwrite, **more}
    key = read_token_key("jwt_secret_key", flags.jwt_secret_key) if flags.jwt_secret_key else None
    if any(asked.values()) and not credentials and key is None:
        raise OperatorError(
            "nobody could prove who they are: give credentials or a --jwt_secret_key, or no --authenticate_http…"
        )

    if asked.get(EXECUTOR) and key is None:
        raise OperatorError("--authenticate_http_executors needs a --jwt_secret_key to sign their tokens with")

    def authenticator(access: str) -> Authenticator:
        realm = f"mesos-{program}-{SUFFIXES[access]}"
        ways: list[Authenticator] = [Basic(realm, credentials)] if credentials and access != EXECUTOR else []
        if key is not None:
            ways.append(Bearer(realm, key, now))
        return Either(*ways)

    return Gate(
        {access: authenticator(access) for access, wanted in asked.items() if wanted},
        flags.firewall_rules or (),
        lambda principal, path: may_use(flags.rights, principal, path),
    )


def may_use(acls: Acls, principal: Principal | None, path: str) -> bool:
    """Whether a principal may use one of those routes that `get_endpoints` is about."""
    return path not in GUARDED_PATHS or acls.allow(name_of(principal), "get_endpoints", path)


def name_of(principal: Principal | None) -> str | None:
    """A principal as access control lists know it: one without a name is anybody."""
    return principal.value or None if principal is not None else None
