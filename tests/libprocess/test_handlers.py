"""Handlers: bound by annotation, named after their message, and refused where they are not."""

from __future__ import annotations

import pytest

from libprocess import Message, Process
from libprocess.handlers import handler_name
from tests.libprocess.actors import TextMessage


class RunHTTPTaskMessage(Message, frozen=True):
    """Sent by nobody."""


@pytest.mark.parametrize(
    ("message", "name"), [(TextMessage, "text"), (RunHTTPTaskMessage, "run_http_task")], ids=lambda value: str(value)
)
def test_a_handler_is_named_after_its_message(message: type[Message], name: str):
    assert handler_name(message) == name


def test_a_misnamed_handler_is_an_error():
    with pytest.raises(TypeError, match=r"Actor.heard handles TextMessage: call it 'text'"):

        class Actor(Process):
            def heard(self, message: TextMessage) -> None: ...


@pytest.mark.parametrize("annotation", [None, int, "NoSuchMessage"])
def test_an_untyped_handler_is_an_error(annotation: object):
    def text(self: object, message: object) -> None: ...

    text.__annotations__ = {} if annotation is None else {"message": annotation}
    with pytest.raises(TypeError, match=r"text\(self, message\) is a handler: annotate its message"):
        type("Actor", (Process,), {"text": text})


def test_private_methods_and_those_with_other_parameters_are_no_handlers():
    class Actor(Process):
        def _text(self, message: str) -> None: ...

        def texts(self, message: str, other: str) -> None: ...

    assert TextMessage not in Actor._table


def test_handlers_are_inherited_and_can_be_replaced():
    class Base(Process):
        def text(self, message: TextMessage) -> None: ...

    class Derived(Base):
        pass

    class Replaced(Base):
        def text(self, message: TextMessage) -> None: ...

    assert Derived._table[TextMessage] is Base._table[TextMessage]
    assert Replaced._table[TextMessage] is not Base._table[TextMessage]


def test_two_messages_of_one_name_are_an_error():
    with pytest.raises(TypeError, match="TextMessage is declared twice"):
        type(Message)("TextMessage", (Message,), {"__module__": "elsewhere"}, frozen=True)


def test_a_message_has_to_be_called_one():
    with pytest.raises(TypeError, match="must end in 'Message'"):
        type(Message)("Text", (Message,), {"__module__": __name__}, frozen=True)
