"""Selecting: which mail is looked at. The same words serve recordings, live taps, and breaking."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tools.trace.errors import BadArgument
from tools.trace.names import Names, pid_text

_EXPRESSION = re.compile(r"([\w.]+)\s*(==|!=|>=|<=|~|>|<)\s*(.*)", re.S)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Where:
    """A condition on a field, such as `task_id==t7`: the last names of its path, and what its value is held against."""

    path: str
    comparison: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Where:
        """Read one; BadArgument says what is wrong."""
        match = _EXPRESSION.fullmatch(text)
        if match is None:
            raise BadArgument(f"expected FIELD==VALUE (or != ~ < <= > >=), found {text!r}")
        return cls(*match.groups())

    def holds(self, names: Names, message: Any) -> bool:
        """Whether a field of that name has such a value."""
        return any(
            self._fits(value)
            for path, value in names.flat(message)
            if path == self.path or path.endswith("." + self.path)
        )

    def _fits(self, value: Any) -> bool:
        if self.comparison == "~":
            return self.value in str(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return _COMPARE[self.comparison](value, float(self.value))
            except ValueError:
                return self.comparison == "!="
        return _COMPARE[self.comparison](str(value), self.value)


@dataclass(frozen=True)
class Selection:
    """Patterns are as the shell's: `agent*`, `*@h2:5050`. An empty one means all."""

    actor: str = ""
    """Either end."""
    sender: str = ""
    to: str = ""
    kind: str = ""
    """The message's type."""
    where: Sequence[Where] = ()

    def takes(self, names: Names, to: Any, sender: Any, message: Any) -> bool:
        """Whether mail is looked at."""
        return (
            (not self.kind or fnmatchcase(str(message[0]), self.kind))
            and (not self.to or is_called(to, self.to))
            and (not self.sender or is_called(sender, self.sender))
            and (not self.actor or is_called(to, self.actor) or is_called(sender, self.actor))
            and all(where.holds(names, message) for where in self.where)
        )


def is_called(pid: Any, pattern: str) -> bool:
    """Whether an actor's id, or its whole PID, fits a pattern."""
    text = pid_text(pid)
    return text == pattern or fnmatchcase(text if "@" in pattern else pid[0], pattern)
