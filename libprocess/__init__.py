"""libprocess: actors that pass messages, on one machine or many, on a real clock or a virtual one."""

from __future__ import annotations

from libprocess.edge import ThreadedNode, open_node, run
from libprocess.http import HttpRequest, HttpResponse
from libprocess.message import Message
from libprocess.pid import PID, Address
from libprocess.process import ExitedMessage, Process
from libprocess.runtime import Runtime
from libprocess.timers import Timer

__all__ = [
    "PID",
    "Address",
    "ExitedMessage",
    "HttpRequest",
    "HttpResponse",
    "Message",
    "Process",
    "Runtime",
    "ThreadedNode",
    "Timer",
    "open_node",
    "run",
]
