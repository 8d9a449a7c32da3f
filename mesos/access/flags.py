"""The flags about access that masters and agents share, with Mesos' names."""

from __future__ import annotations

from typing import Any

import msgspec

from libprocess.flags import PATH, Flags, Kind, flag
from libprocess.zeromq import Keys, read_keys
from mesos.access.acls import NO_ACLS, Acls, parse_acls
from mesos.access.credentials import read_credential

ACCESS = "Access"


class _Endpoints(msgspec.Struct, forbid_unknown_fields=True):
    paths: list[str]


class _Rules(msgspec.Struct, forbid_unknown_fields=True):
    disabled_endpoints: _Endpoints


def parse_firewall(text: str) -> tuple[str, ...]:
    """Read `{"disabled_endpoints": {"paths": ["/files/browse"]}}`."""
    try:
        return tuple(msgspec.json.decode(text, type=_Rules).disabled_endpoints.paths)
    except msgspec.MsgspecError as error:
        raise ValueError(f'expected {{"disabled_endpoints": {{"paths": ["/files/browse", …]}}}}: {error}') from None


def format_firewall(paths: tuple[str, ...]) -> str:
    """Write what `parse_firewall` reads."""
    return msgspec.json.encode({"disabled_endpoints": {"paths": paths}}).decode()


ACLS = Kind("JSON", parse_acls, lambda acls: acls.text)
FIREWALL = Kind("JSON", parse_firewall, format_firewall)


KEYS_HELP = (
    "The directory with this node's keys, as python -m tools.cli keys makes it: links are encrypted, and lead only to "
    "nodes whose keys are known there."
)


class JoiningFlags(Flags):
    """What a framework's program proves itself with to a cluster."""

    credential: str | None = flag(
        default=None,
        kind=PATH,
        group=ACCESS,
        help='A file with what to prove to the master with: {"principal": …, "secret": …}, or a line of both.',
    )

    keys: str | None = flag(default=None, kind=PATH, group=ACCESS, help=KEYS_HELP)

    @property
    def proofs(self) -> dict[str, Any]:
        """What a driver is made with."""
        credential = read_credential("credential", self.credential) if self.credential else None
        return {"credential": credential, "keys": read_keys(self.keys) if self.keys else None}


class AccessFlags(Flags):
    """Who may come in."""

    keys: str | None = flag(default=None, kind=PATH, group=ACCESS, help=KEYS_HELP)

    authenticate_http_readonly: bool = flag(
        default=False, group=ACCESS, help="Only principals that prove who they are may read over HTTP."
    )
    authenticate_http_readwrite: bool = flag(
        default=False, group=ACCESS, help="Only principals that prove who they are may change something over HTTP."
    )
    jwt_secret_key: str | None = flag(
        default=None,
        kind=PATH,
        group=ACCESS,
        help="A file with the key of tokens (JWT, HS256), by which one may prove over HTTP who one is, too.",
    )
    acls: Acls | None = flag(
        default=None,
        kind=ACLS,
        group=ACCESS,
        help="Who may do what: lists of principals and objects by action, as JSON or file://PATH. The first that "
        'speaks of both decides, and if none does, "permissive" does, which is true unless it is given.',
    )
    firewall_rules: tuple[str, ...] | None = flag(
        default=None,
        kind=FIREWALL,
        group=ACCESS,
        help='What is not served, such as {"disabled_endpoints": {"paths": ["/files/browse"]}}.',
    )

    @property
    def node_keys(self) -> Keys | None:
        """What is in the directory of --keys."""
        return read_keys(self.keys) if self.keys else None

    @property
    def rights(self) -> Acls:
        """Who may do what, whether it was said or not."""
        return self.acls or NO_ACLS
