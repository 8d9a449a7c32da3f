"""The names in a recording: messages are arrays in it, and one record says what their elements are called.

    ["messages", n, time, {name: [tag, [field, of], [field, of], …], …}]

A struct with a tag, such as every message, has it before its fields; "" is none. `of` is the name of the struct that
the field holds (by itself, or many of it), which is told of too, or the names of all that it may hold with | between,
which their tags tell apart; it is "" for all else.
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
    spec: Spec = [_tag(struct)]
    for name, hint in _fields(struct):
        held = list(dict.fromkeys(_structs_in(hint)))
        if not all(map(_tag, held)):
            del held[1:]
        todo += held
        spec.append([name, "|".join(each.__name__ for each in held)])
    return spec


def _tag(struct: type) -> str:
    return str(struct.__struct_config__.tag or "")  # type: ignore[attr-defined]


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
