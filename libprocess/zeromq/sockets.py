"""The ZeroMQ sockets of one node, set up so that a silent or greedy peer is noticed and costs little."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

import zmq
from zmq.auth.asyncio import AsyncioAuthenticator

from libprocess.errors import OperatorError
from libprocess.pid import Address
from libprocess.zeromq.keys import Keys
from libprocess.zeromq.silence import SECONDS
from libprocess.zeromq.wire import FRAME_BYTES_MAX

WATERMARK_FRAMES = 64
"""Frames that ZeroMQ holds per peer and direction: 8 MiB at most."""

ZAP_DOMAIN = "libprocess"
NEVER_MS = 2**31 - 1
SOCKETS_MAX = 65000
BACKLOG = 4096


class AddressUnusable(OperatorError, OSError):
    """The node cannot listen where it was told to."""


@dataclass(frozen=True)
class Setup:
    """Where a node listens, and how it is known."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 is any free one."""
    advertise: str | None = None
    """The host, or host:port, by which others reach it, where that differs."""
    silence_seconds: float = SECONDS
    """How long a peer may be silent before the link to it counts as broken. A third of it is between two heartbeats."""
    keys: Keys | None = None
    """With keys, links are encrypted, and only nodes whose keys are known get any."""


class Sockets:
    """Makes a node's sockets."""

    def __init__(self, setup: Setup) -> None:
        self.keys = setup.keys
        self.guests: set[str] = set()
        """Public keys of those who are let in beside the nodes that are known."""
        self._setup = setup
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._context.set(zmq.MAX_SOCKETS, min(SOCKETS_MAX, self._context.get(zmq.SOCKET_LIMIT)))
        self._authenticator: AsyncioAuthenticator | None = None

    def bind(self) -> tuple[Address, zmq.Socket[bytes]]:
        """The node's address, and the ROUTER socket that listens there. AddressUnusable says why it cannot."""
        setup = self._setup
        router = self._socket(zmq.ROUTER)
        # With a domain ZeroMQ turns away who speaks its first protocols: they have no handshake, and of a frame that
        # came without one it cannot be told by which connection.
        router.set(zmq.ZAP_DOMAIN, ZAP_DOMAIN.encode())
        if self.keys is not None:
            self._admit_known(router, self.keys)
        router.set(zmq.BACKLOG, BACKLOG)
        router.set(zmq.HANDSHAKE_IVL, 5000)
        router.set(zmq.IPV6, ":" in setup.host)
        try:
            router.bind(_endpoint(Address(_resolve(setup.host), setup.port)))
        except (zmq.ZMQError, OSError) as error:
            router.close(linger=0)
            self.close()
            raise _unusable(setup, error) from None
        port = int(router.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])
        return _advertised(setup, port), router

    def dealer(self, address: Address) -> tuple[zmq.Socket[bytes], str]:
        """A DEALER socket and what it is to connect to. LookupError if keys are needed and the node's is not known."""
        server_key = self.keys and self.keys.to_dial(address)
        if self.keys and not server_key:
            raise LookupError(f"the public key of {address} is not known here: add it to this node's known nodes")
        dealer = self._socket(zmq.DEALER)
        if server_key:
            dealer.set(zmq.CURVE_SERVERKEY, server_key.encode())
        dealer.set(zmq.IPV6, ":" in address.host)
        # Connecting again is up to whoever has mail; -1 would lose what came in and was not read.
        dealer.set(zmq.RECONNECT_IVL, NEVER_MS)
        return dealer, _endpoint(address)

    def close(self) -> None:
        """Let go of everything; waits for what the sockets were told to let out."""
        if self._authenticator is not None:
            self._authenticator.stop()
        self._context.term()

    def _admit_known(self, router: zmq.Socket[bytes], keys: Keys) -> None:
        """Let nobody through a bound socket but nodes with known keys."""
        self._authenticator = AsyncioAuthenticator(self._context)
        self._authenticator.start()
        self._authenticator.configure_curve_callback(ZAP_DOMAIN, _Known(keys, self.guests))
        router.set(zmq.CURVE_SERVER, 1)

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        made = self._context.socket(kind)
        silence_ms = max(3, int(self._setup.silence_seconds * 1000))
        made.set(zmq.LINGER, 0)
        made.set(zmq.SNDHWM, WATERMARK_FRAMES)
        made.set(zmq.RCVHWM, WATERMARK_FRAMES)
        made.set(zmq.MAXMSGSIZE, FRAME_BYTES_MAX)
        made.set(zmq.HEARTBEAT_IVL, silence_ms // 3)
        made.set(zmq.HEARTBEAT_TIMEOUT, silence_ms * 2 // 3)
        made.set(zmq.TCP_MAXRT, silence_ms)  # no heartbeat gets out while a stopped peer's window is full
        if self.keys is not None:
            made.set(zmq.CURVE_PUBLICKEY, self.keys.public.encode())
            made.set(zmq.CURVE_SECRETKEY, self.keys.secret.encode())
        return made


class _Known:
    """Tells the authenticator whose key is known."""

    def __init__(self, keys: Keys, guests: set[str]) -> None:
        self._known = frozenset(key.encode() for key in keys.known.values())
        self._guests = guests

    def callback(self, domain: str, key: bytes) -> bool:
        return key in self._known or key.decode() in self._guests


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return ipaddress.ip_address(_resolve(host)).is_loopback
    except (OSError, ValueError):
        return False


def _resolve(host: str) -> str:
    """ZeroMQ binds to addresses, not to names."""
    return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])


def _endpoint(address: Address) -> str:
    return f"tcp://{address}"


def _advertised(setup: Setup, port: int) -> Address:
    if setup.advertise is None:
        return Address(setup.host, port)
    try:
        return Address.parse(setup.advertise)
    except ValueError:
        return Address(setup.advertise, port)


def _unusable(setup: Setup, error: OSError | zmq.ZMQError) -> AddressUnusable:
    where = Address(setup.host, setup.port)
    if error.errno == errno.EADDRINUSE:
        text = f"{where} is taken by another program; give another port, or 0 for any free one"
    elif error.errno == errno.EACCES:
        text = f"{where} may not be used by this user; give a port of 1024 or above"
    else:
        reason = str(error.strerror).partition(" (")[0]  # ZeroMQ repeats the address there
        text = f"cannot listen at {setup.host}: {reason}; give an address of this machine"
    unusable = AddressUnusable(text)
    unusable.errno = error.errno
    return unusable
