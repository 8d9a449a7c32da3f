"""PID: the name of an actor, `id@host:port`."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Address(NamedTuple):
    """Where a node is reached: its advertised host and port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `host:port` or `[v6]:port`; ValueError says what is wrong with anything else."""
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
            raise ValueError(f"expected host:port, found {text!r}")
        return cls(host, int(port))


class PID(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    order=True,
    cache_hash=True,
    gc=False,
    forbid_unknown_fields=True,
):
    """An actor's name. Hashable, ordered, and the same on every node.

    `host` and `port` are the *advertised* address of the actor's node, which may differ from the one it is bound to.
    """

    id: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.id}@{self.address}"

    def __repr__(self) -> str:
        return f"PID({str(self)!r})"

    @property
    def address(self) -> Address:
        """The address of this actor's node."""
        return Address(self.host, self.port)

    @classmethod
    def parse(cls, text: str) -> PID:
        """Read `id@host:port`; ValueError says what is wrong with anything else."""
        id_, at, address = text.rpartition("@")
        if not at or not id_:
            raise ValueError(f"expected id@host:port, found {text!r}")
        return cls(id_, *Address.parse(address))
