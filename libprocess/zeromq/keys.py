"""Keys: which nodes may talk to this one, and under which key it dials whom.

A directory holds a node's own pair in `node.key`, which only its user may read, and the public keys of all nodes it
knows in `known_nodes`: a line for each, with a name and a key. Any known node may dial this one. A node that is to be
dialled is looked up by its `host:port`, then by its host, then as `*`. Lines that begin with # are comments.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from libprocess.errors import OperatorError
from libprocess.pid import Address

PAIR_FILE = "node.key"
KNOWN_FILE = "known_nodes"

ANY = "*"
_KEY_CHARACTERS = 40


class BadKeys(OperatorError, ValueError):
    """Keys on disk are missing or unreadable."""


@dataclass(frozen=True)
class Keys:
    """A node's own pair, and the keys it knows. Keys are 40 characters of Z85, as ZeroMQ writes them."""

    public: str
    secret: str = field(repr=False)
    known: Mapping[str, str] = field(default_factory=dict)
    """Public keys by name: `host:port`, host, `*`, or any other name for nodes that are not dialled."""

    def of(self, address: Address) -> str | None:
        """The key under which that very node, or its host, is known."""
        return self.known.get(str(address)) or self.known.get(address.host)

    def to_dial(self, address: Address) -> str | None:
        """The key that a node has to prove when it is dialled; None if it is not known."""
        return self.of(address) or self.known.get(ANY)


def create_keys(directory: str | Path) -> Keys:
    """Make a pair for a node, and a file for those it knows. BadKeys if there is a pair already."""
    path = Path(directory)
    path.mkdir(parents=True, exist_ok=True)
    public, secret = (key.decode() for key in zmq.curve_keypair())
    try:
        descriptor = os.open(path / PAIR_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadKeys(f"{path / PAIR_FILE} exists already; remove it if its node is to get a new key") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(f"public {public}\nsecret {secret}\n")
    (path / KNOWN_FILE).touch()
    return Keys(public, secret, _read_lines(path / KNOWN_FILE))


def read_keys(directory: str | Path) -> Keys:
    """Read what `create_keys` and the operator wrote. BadKeys says what is wrong."""
    path = Path(directory)
    pair = _read_lines(path / PAIR_FILE)
    if pair.keys() != {"public", "secret"}:
        raise BadKeys(f"{path / PAIR_FILE} holds {', '.join(pair) or 'nothing'}; expected a public and a secret line")
    return Keys(pair["public"], pair["secret"], _read_lines(path / KNOWN_FILE))


def _read_lines(path: Path) -> dict[str, str]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BadKeys(f"cannot read {path}: {reason}; keys are made by create_keys") from None
    keys = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, key = line.strip().partition(" ")
        key = key.strip()
        if len(key) != _KEY_CHARACTERS:
            raise BadKeys(f"{path}:{number} has {key!r} for {name}; expected a name and a key of 40 characters")
        keys[name] = key
    return keys
