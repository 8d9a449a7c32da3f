"""libprocess over ZeroMQ: the network of real nodes."""

from __future__ import annotations

from libprocess.zeromq.network import ZeroMQ
from libprocess.zeromq.sockets import AddressUnusable, Setup, Sockets, is_loopback

__all__ = ["AddressUnusable", "Setup", "Sockets", "ZeroMQ", "is_loopback"]
