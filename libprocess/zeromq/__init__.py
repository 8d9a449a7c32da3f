"""libprocess over ZeroMQ: the network of real nodes."""

from __future__ import annotations

from libprocess.zeromq.keys import ANY, BadKeys, Keys, add_known, create_keys, read_keys
from libprocess.zeromq.network import ZeroMQ
from libprocess.zeromq.silence import silence_seconds
from libprocess.zeromq.sockets import AddressUnusable, Setup, Sockets, is_loopback

__all__ = [
    "ANY",
    "AddressUnusable",
    "BadKeys",
    "Keys",
    "Setup",
    "Sockets",
    "ZeroMQ",
    "add_known",
    "create_keys",
    "is_loopback",
    "read_keys",
    "silence_seconds",
]
