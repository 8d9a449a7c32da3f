"""The names in a recording: messages are arrays in it, and one record says what their elements are called.

    ["messages", n, time, {name: [is_tagged, [field, of], [field, of], …], …}]

A tagged struct, such as every message, has its own name before its fields. `of` is the name of the struct that the
field holds (by itself, or many of it), which is told of too, and "" for all else.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from libprocess.message import message_count, registered
from libprocess.recording.tracer import Record

Spec = list[Any]

_told: dict[int, dict[str, Spec]] = {}


def names_record(time: float = 0.0, number: int = 0) -> Record:
    """The record that tells the names of all messages that were declared so far."""
    count = message_count()
    if count not in _told:
        _told.clear()
        _told[count] = _names()
    return ("messages", number, time, _told[count])


def _names() -> dict[str, Spec]:
    names: dict[str, Spec] = {}
    todo: list[type] = list(registered().values())
    while todo:
        struct = todo.pop()
        if struct.__name__ not in names:
            names[struct.__name__] = _spec(struct, todo)
    return dict(sorted(names.items()))


def _spec(struct: type, todo: list[type]) -> Spec:
    spec: Spec = [struct.__struct_config__.tag is not None]  # type: ignore[attr-defined]
    for name, hint in _fields(struct):
        held = next(_structs_in(hint), None)
        if held is not None:
            todo.append(held)
        spec.append([name, held.__name__ if held else ""])
    return spec


def _fields(struct: type) -> list[tuple[str, Any]]:
    try:
        return [(field.name, field.type) for field in msgspec.structs.fields(struct)]
    except NameError:  # declared inside a function, of types that only that function knows
        return [(name, None) for name in struct.__struct_fields__]  # type: ignore[attr-defined]


def _structs_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for argument in typing.get_args(hint):
        yield from _structs_in(argument)
