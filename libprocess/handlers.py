"""How a message finds its handler: bound by annotation at class creation, and named after its message.

A public method whose only parameter is called `message` is a handler. A misnamed or untyped one is a TypeError when the
class is made, so it cannot drift from its message unseen.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from libprocess.message import Message

if TYPE_CHECKING:
    from libprocess.process import Process

Handler = Callable[["Process", Any], None]

HandlerTable = dict[type, Handler]
"""What an actor does with what is in its mailbox, by type; anything else is dropped and counted."""


def handler_name(message: type[Message]) -> str:
    """What a handler of this message must be called: `RegisterAgentMessage` → `register_agent`."""
    words = message.__name__.removesuffix("Message")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", words).lower()


def find_handlers(cls: type) -> dict[type[Message], Handler]:
    """The handlers that this class itself defines, checked."""
    handlers: dict[type[Message], Handler] = {}
    for name, function in vars(cls).items():
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        parameters = list(inspect.signature(function).parameters)
        if parameters[1:] != ["message"]:
            continue
        message = _annotated_message(cls, function)
        if name != handler_name(message):
            raise TypeError(f"{cls.__name__}.{name} handles {message.__name__}: call it {handler_name(message)!r}")
        handlers[message] = function
    return handlers


def _annotated_message(cls: type, function: Callable[..., Any]) -> type[Message]:
    where = f"{cls.__name__}.{function.__name__}"
    annotation = function.__annotations__.get("message")
    if isinstance(annotation, str):
        annotation = _resolve(annotation, function)
    if not (isinstance(annotation, type) and issubclass(annotation, Message)):
        raise TypeError(f"{where}(self, message) is a handler: annotate its message with a subclass of Message")
    return annotation


def _resolve(annotation: str, function: Callable[..., Any]) -> Any:
    """What a textual annotation means; classes made inside a function, as in tests, see that function's names too."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        try:
            return eval(annotation, getattr(function, "__globals__", {}), frame.f_locals)
        except NameError:
            frame = frame.f_back
    return None
