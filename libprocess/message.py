"""Message: what actors send each other, and how it becomes bytes.

A message is a frozen struct, declared once, in the lowest package that both ends may import. On the wire it is a
msgpack array `[name, field, field, …]`: fields may be appended by a newer version (an older one ignores them), and an
older sender's missing ones take their defaults. A wrong type is refused with its path.
"""

from __future__ import annotations

from typing import Any, Union

import msgspec


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Base of every message. Subclass it, and say in the docstring who sends it to whom, and when.

    A message's name is its class name, and ends in `Message`; no two messages may share one. Fields are immutable
    values: numbers, str, bytes, PID, tuples, and frozen structs of such.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        register(cls)


_registered: dict[str, type[Message]] = {}


def register(cls: type[Message]) -> None:
    """Make a message known to the codec by its name; done for every subclass of Message."""
    name = cls.__name__
    if not name.endswith("Message"):
        raise TypeError(f"the name of {cls.__module__}.{name} must end in 'Message'")
    known = _registered.get(name)
    if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
        raise TypeError(f"{name} is declared twice: in {known.__module__} and in {cls.__module__}")
    _registered[name] = cls


def registered() -> dict[str, type[Message]]:
    """Every message that was declared so far, by name."""
    return dict(_registered)


def any_message() -> Any:
    """The union of all registered messages: the type a decoder is made for."""
    return Union[tuple(_registered.values())]  # noqa: UP007 — made of what is there


def message_count() -> int:
    """How many messages are registered: a decoder made for fewer is out of date."""
    return len(_registered)
