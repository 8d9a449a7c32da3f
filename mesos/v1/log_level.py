"""The call SET_LOGGING_LEVEL of the operator APIs."""

from __future__ import annotations

from libprocess.http.verbosity import SetLogLevelMessage, check_log_level
from mesos.v1.door import Refusal
from mesos.v1.tree import Tree


def read_log_level(body: Tree) -> SetLogLevelMessage:
    """What such a call asks for. Refusal for what cannot be."""
    message = SetLogLevelMessage(body["level"], body["duration"]["nanoseconds"] / 1e9)
    wrong = check_log_level(message.level, message.seconds)
    if wrong is not None:
        raise Refusal(400, wrong)
    return message
