"""Keys: which nodes may talk to this one, and under which key it dials whom.

A directory holds a node's own pair in `node.key`, which only its user may read, and the public keys of all nodes it
knows in `known_nodes`: a line for each, with a name, a key, and perhaps the principal that the node speaks for. Any
known node may dial this one. A node that is to be dialled is looked up by its `host:port`, then by its host, then as
`*`. Lines that begin with # are comments.

A node's guests are programs that it starts itself: their pairs are made of its own, so that they are the same again
after it was started anew.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import zmq
from zmq.utils import z85

from libprocess.errors import OperatorError
from libprocess.pid import Address

PAIR_FILE = "node.key"
KNOWN_FILE = "known_nodes"

ANY = "*"
_KEY_CHARACTERS = 40
_KEY_BYTES = 32
_NO_WORD = re.compile(r"[\s#]")


class BadKeys(OperatorError, ValueError):
    """Keys on disk are missing or unreadable."""


@dataclass(frozen=True)
class Keys:
    """A node's own pair, and the keys it knows. Keys are 40 characters of Z85, as ZeroMQ writes them."""

    public: str
    secret: str = field(repr=False)
    known: Mapping[str, str] = field(default_factory=dict)
    """Public keys by name: `host:port`, host, `*`, or any other name for nodes that are not dialled."""
    principals: Mapping[str, str] = field(default_factory=dict)
    """For whom those who prove to have a key speak, by public key."""

    def of(self, address: Address) -> str | None:
        """The key under which that very node, or its host, is known."""
        return self.known.get(str(address)) or self.known.get(address.host)

    def guest(self, name: str) -> Keys:
        """The pair of a guest, which dials this node only."""
        raw = hmac.new(self.secret.encode(), f"guest {name}".encode(), hashlib.sha256).digest()
        secret = z85.encode(raw)
        return Keys(zmq.curve_public(secret).decode(), secret.decode(), {ANY: self.public})

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
    return read_keys(directory)


def add_known(directory: str | Path, name: str, key: str, principal: str = "") -> None:
    """Let a node be known. BadKeys if the name is known already, or what is given cannot be."""
    path = Path(directory) / KNOWN_FILE
    line = " ".join(filter(None, (name, key, principal)))
    if _NO_WORD.search(name + principal) or not name or not _is_key(key):
        raise BadKeys(f"expected a name, a key of {_KEY_CHARACTERS} characters and perhaps a principal, found {line!r}")
    if name in read_keys(directory).known:
        raise BadKeys(f"{path} has a key for {name} already; remove that line first")
    text = path.read_text()
    path.write_text(text + ("" if not text or text.endswith("\n") else "\n") + line + "\n")


def read_keys(directory: str | Path) -> Keys:
    """Read what `create_keys` and the operator wrote. BadKeys says what is wrong."""
    path = Path(directory)
    pair = {name: key for name, key, _ in _read_lines(path / PAIR_FILE)}
    if pair.keys() != {"public", "secret"}:
        raise BadKeys(f"{path / PAIR_FILE} holds {', '.join(pair) or 'nothing'}; expected a public and a secret line")
    lines = _read_lines(path / KNOWN_FILE)
    known = {name: key for name, key, _ in lines}
    return Keys(pair["public"], pair["secret"], known, {key: principal for _, key, principal in lines if principal})


def _read_lines(path: Path) -> list[tuple[str, str, str]]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BadKeys(f"cannot read {path}: {reason}; python -m tools.cli keys create makes them") from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, key, principal, *more = [*line.split(), "", ""]
        if not _is_key(key) or any(more):
            raise BadKeys(f"{path}:{number} has no key for {name}; expected a name and a key of 40 characters")
        found.append((name, key, principal))
    return found


def _is_key(text: str) -> bool:
    try:
        return len(text) == _KEY_CHARACTERS and len(z85.decode(text)) == _KEY_BYTES
    except (KeyError, ValueError):
        return False
