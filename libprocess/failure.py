"""Failure: what is known of an actor that ended by its own fault."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Any

from libprocess.errors import OperatorError
from libprocess.pid import PID
from libprocess.ports import Envelope

_STATE_TEXT_MAX = 200


@dataclass(frozen=True)
class Failure:
    """The report: who failed, on which message, in which state, and why."""

    pid: PID
    envelope: Envelope
    state: dict[str, str]
    error: Exception

    @property
    def reason(self) -> str:
        """One line: what the linkers are told."""
        if isinstance(self.error, OperatorError):
            return f"failed: {self.error}"
        return f"failed: {type(self.error).__name__}: {self.error}"

    def __str__(self) -> str:
        if isinstance(self.error, OperatorError):  # not ours: what led to it would only hide what is wrong
            return f"{self.pid} {self.reason}"
        _, sender, message, id_, cause = self.envelope
        lines = [
            f"{self.pid} failed",
            f"  on {message!r}",
            f"  from {sender} (message {id_:x}, caused by {cause:x})",
            *(f"  {name} = {value}" for name, value in self.state.items()),
            "".join(traceback.format_exception(self.error)).rstrip(),
        ]
        return "\n".join(lines)


def state_of(actor: Any) -> dict[str, str]:
    """An actor's attributes as short texts."""
    names = dict.fromkeys(name for cls in reversed(type(actor).__mro__) for name in getattr(cls, "__slots__", ()))
    names |= dict.fromkeys(getattr(actor, "__dict__", {}))
    return {
        name: repr(getattr(actor, name))[:_STATE_TEXT_MAX]
        for name in names
        if not name.startswith("_") and name != "pid" and hasattr(actor, name)
    }
