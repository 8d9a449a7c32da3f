"""Where the masters of a cluster meet: `zk://[user:password@]host:port,…/path`."""

from __future__ import annotations

from dataclasses import dataclass, field

from libprocess.flags import Kind
from libprocess.pid import Address

SCHEME = "zk://"
PORT = 2181


@dataclass(frozen=True)
class ZooKeeperUrl:
    """A path on a ZooKeeper ensemble. As text it is without its credentials, and so fit for logs and pages."""

    servers: tuple[Address, ...]
    path: str
    credentials: str = field(default="", repr=False)
    """`user:password`, or nothing."""

    def __str__(self) -> str:
        return f"{SCHEME}{'***@' if self.credentials else ''}{','.join(map(str, self.servers))}{self.path}"


def parse_zookeeper(text: str) -> ZooKeeperUrl:
    """Read a URL; ValueError says what is wrong, without telling the credentials."""
    credentials, at, place = text.removeprefix(SCHEME).rpartition("@")
    hosts, _, path = place.partition("/")
    names = path.strip("/").split("/")
    try:
        servers = tuple(_server(host) for host in hosts.split(","))
        user, _, password = credentials.partition(":")
        if not text.startswith(SCHEME) or not {"", ".", ".."}.isdisjoint(names) or (at and not (user and password)):
            raise ValueError
    except ValueError:
        raise ValueError(
            f"expected {SCHEME}[user:password@]host:port,…/path such as {SCHEME}127.0.0.1:{PORT}/mesos, "
            f"found {without_credentials(text)!r}"
        ) from None
    return ZooKeeperUrl(servers, "/" + "/".join(names), credentials)


def without_credentials(text: str) -> str:
    """What an operator wrote where an address belongs, with nothing secret in it."""
    before, at, place = text.rpartition("@")
    scheme = SCHEME if before.startswith(SCHEME) else ""
    return f"{scheme}***@{place}" if at else text


def _server(text: str) -> Address:
    return Address.parse(text if ":" in text else f"{text}:{PORT}")


ZOOKEEPER = Kind(f"{SCHEME}HOST:PORT,…/PATH", parse_zookeeper)
"""A flag that says where masters meet."""
