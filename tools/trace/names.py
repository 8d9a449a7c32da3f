"""Names: what is in a message, with the names of its fields, as the recording tells them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from libprocess.pid import PID
from libprocess.recording.naming import Spec

WIDTH = 110
"""How many characters of a message's fields are shown in a line."""


class Names:
    """Reads the arrays that messages are in a recording."""

    def __init__(self, specs: dict[str, Spec]) -> None:
        self._specs = specs

    def learn(self, specs: dict[str, Spec]) -> None:
        """Know these too."""
        self._specs = self._specs | specs if specs.keys() - self._specs.keys() else self._specs

    def fields(self, values: Any, struct: str) -> list[tuple[str, Any, str]]:
        """Name, value, and name of the struct inside, of each field of a struct; by number where names are unknown."""
        if not isinstance(values, list | tuple):
            return [("", values, "")]  # the recording is damaged, or the name means something else
        struct = self._meant(values, struct)
        tag, *fields = self._specs.get(struct, [True])
        values = list(values)[1:] if tag else list(values)
        fields += [[str(place), ""] for place in range(len(fields), len(values))]
        return [(name, value, of) for (name, of), value in zip(fields, values, strict=False)]

    def _meant(self, values: Sequence[Any], of: str) -> str:
        """Which of several structs these values are of, by their tag."""
        names = of.split("|")
        return next((name for name in names[1:] if values and self._specs.get(name, [""])[0] == values[0]), names[0])

    def text(self, message: Any, width: int = WIDTH) -> str:
        """`TakeMessage(key='t7', weight=2)`; what is empty is left out, and so is what does not fit."""
        if isinstance(message, str):
            return message  # what was not made for the wire is recorded as text
        name = str(message[0])
        inside = self._inside(message, name)
        if len(inside) > width:
            inside = inside[: width - 1] + "…"
        return f"{name}({inside})"

    def _inside(self, values: Any, struct: str) -> str:
        shown = ((name, self._shown(value, of)) for name, value, of in self.fields(values, struct))
        return ", ".join(f"{name}={text}" for name, text in shown if text)

    def _shown(self, value: Any, of: str) -> str:
        if value is None or value == "" or value == b"" or value == []:
            return ""
        if of == "PID" and is_pid(value):
            return str(PID(*value))
        if of and isinstance(value, list):
            if value and isinstance(value[0], list):
                return f"[{', '.join(self._shown(item, of) for item in value)}]"
            of = self._meant(value, of)
            return f"{of}({self._inside(value, of)})"
        if isinstance(value, bytes):
            return f"{len(value)} bytes"
        return repr(value)

    def flat(self, message: Any) -> Iterator[tuple[str, Any]]:
        """Path and value of everything in a message: `task.task_id`, 't7'."""
        if isinstance(message, list):
            yield from self._flat(message, str(message[0]), "")

    def _flat(self, values: Any, struct: str, prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value, of in self.fields(values, struct):
            path = prefix + name
            if of == "PID" and is_pid(value):
                yield path, str(PID(*value))
            elif of and isinstance(value, list):
                items = value if value and isinstance(value[0], list) else [value]
                for item in items:
                    yield from self._flat(item, of, path + ".")
            elif isinstance(value, list | tuple):
                yield from ((path, item) for item in value)
            else:
                yield path, value


def is_pid(value: Any) -> bool:
    """Whether a recorded value is a PID."""
    return (
        isinstance(value, list | tuple) and len(value) == 3 and isinstance(value[0], str) and isinstance(value[2], int)
    )


def pid_text(pid: Any) -> str:
    """A recorded PID as text; what comes from outside an actor has no id before its `@`."""
    return str(PID(*pid))
