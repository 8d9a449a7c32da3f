"""What is asked of the history."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from libprocess.http import HttpRequest
from mesos.types import Reason, TaskState
from mesos.types.history import EndedTask

LIMIT = 100
LIMIT_MAX = 1000


@dataclass(frozen=True)
class Query:
    """Which tasks, the last that ended first; empty texts stand for any."""

    framework: str = ""
    """Its id or its name."""
    task: str = ""
    """Its id or its name."""
    agent: str = ""
    """Its id or its hostname."""
    state: str = ""
    reason: str = ""
    text: str = ""
    """Found in what was said of its end, or in its last lines."""
    since: float = 0.0
    until: float = inf
    offset: int = 0
    limit: int = LIMIT
    may_be_seen: Callable[[EndedTask], bool] | None = None
    """Whether who asks may know of a task; None for who may know of all."""

    def matches(self, task: EndedTask) -> bool:
        """Whether it is asked for a task."""
        lines = task.ending.last_lines if task.ending else ""
        return (
            self.framework in ("", task.framework_id, task.framework_name)
            and self.task in ("", task.task_id, task.name)
            and self.agent in ("", task.agent_id, task.hostname)
            and self.state in ("", task.state)
            and self.reason in ("", task.reason)
            and self.since <= task.ended <= self.until
            and (self.text in task.message or self.text in lines)
            and (self.may_be_seen is None or self.may_be_seen(task))
        )


def read_query(request: HttpRequest, may_be_seen: Callable[[EndedTask], bool] | None) -> Query:
    """What an HTTP request asks for; ValueError says what is wrong with it."""
    names = ("framework", "task", "agent", "state", "reason", "text")
    texts = {name: request.argument(name) for name in names}
    return Query(
        **texts | {"state": _one_of(TaskState, texts["state"]), "reason": _one_of(Reason, texts["reason"])},
        since=_number(request, "since", 0.0),
        until=_number(request, "until", inf),
        offset=int(_number(request, "offset", 0)),
        limit=min(int(_number(request, "limit", LIMIT)), LIMIT_MAX),
        may_be_seen=may_be_seen,
    )


def _one_of(names: type[TaskState] | type[Reason], text: str) -> str:
    """`failed` is TASK_FAILED."""
    by_word = {word: name for name in names for word in (name.lower(), name.lower().partition("_")[2])}
    if text and text.lower() not in by_word:
        near = difflib.get_close_matches(text.lower(), by_word, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"there is no {'state' if names is TaskState else 'reason'} {text!r} of a task{meant}")
    return by_word[text.lower()].value if text else ""


def _number(request: HttpRequest, name: str, default: float) -> float:
    text = request.argument(name)
    try:
        number = float(text) if text else default
    except ValueError:
        number = -1.0
    if not number >= 0 or (number == inf and default != inf):
        raise ValueError(f"expected {name} to be a number of at least 0, found {text!r}")
    return number
