"""The mail of a turn as a recording holds it: a route is told where it changes, and not with every piece of it.

    [to, sender, id, cause]     a route, for the messages after it
    [name, field, field, …]     a message
    null                        what is no mail: an actor's first or last turn, a timer that was cancelled

A route has the id of the next message or null; unless it is 0, those after it count on. A route begins with a PID, and
so with an array; a message begins with a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from libprocess.ports import Envelope


def compact(mail: Iterable[Envelope]) -> list[Any]:
    """Envelopes as messages with routes among them."""
    items: list[Any] = []
    add = items.append
    last_to = last_sender = None
    expected = last_cause = step = 0
    for to, sender, content, id_, cause in mail:
        if id_ != expected or cause != last_cause or to is not last_to or sender is not last_sender:
            add((to, sender, id_, cause))
            last_to, last_sender, last_cause = to, sender, cause
            expected, step = id_, 1 if id_ else 0
        add(content)
        expected += step
    return items


def expand(items: Sequence[Any]) -> list[Any]:
    """Messages with routes among them, as they were read, as envelopes. ValueError if the first has no route."""
    mail: list[Any] = []
    add = mail.append
    to: Any = None
    sender: Any = None
    id_ = cause = 0
    for item in items:
        if item is not None and not isinstance(item[0], str):
            to, sender, id_, cause = item
        else:
            add((to, sender, item, id_, cause))
            if id_:
                id_ += 1
    if mail and mail[0][0] is None:
        raise ValueError("a message without a route")
    return mail
