"""The protocol, read from the source: every message of the project has a sender and a handler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.tools.trace.conftest import Output
from tools.trace.protocol import PACKAGES, ROOT, Protocol, sources

Trace = Callable[..., Output]

UNSPOKEN = {"ReconnectExecutorMessage", "ExecutorReregisteredMessage"}
"""Declared, and not spoken yet: an agent that starts again takes back its executors."""

SOURCE = '''
class AskMessage(Message):
    """From a Child to a Parent."""

class AnswerMessage(Message):
    """From a Parent to a Child."""

class NeverMessage(Message):
    """From nobody, yet."""

class LonelyMessage(Message):
    """From a Child to nobody."""

class StandInMessage(Message):
    """Never sent: stands for another."""

class Child(Process):
    def initialize(self):
        self.send(parent, AskMessage.of_size(16))
        self.delay(1.0, module.LonelyMessage())

    def answer(self, message: AnswerMessage) -> None: ...
    def never(self, message: "NeverMessage") -> None: ...

class Parent(Process):
    def ask(self, message: AskMessage) -> None:
        self.reply(AnswerMessage())
'''


def test_senders_and_handlers_are_found(tmp_path: Path):
    file = tmp_path / "family.py"
    file.write_text(SOURCE)
    found = Protocol([file])
    assert (found.entries["AskMessage"].senders, found.entries["AskMessage"].handlers) == ({"Child"}, {"Parent"})
    assert [fault.partition(": ")[2] for fault in found.faults] == [
        "NeverMessage: nobody sends it",
        "LonelyMessage: nobody handles it",
    ]


def test_a_fault_is_an_exit_status(tmp_path: Path, trace: Trace):
    file = tmp_path / "family.py"
    file.write_text(SOURCE)
    assert trace("protocol", file).status == 1


def test_every_message_of_the_project_has_a_sender_and_a_handler():
    faults = Protocol(sources(ROOT / name for name in PACKAGES)).faults
    assert [fault for fault in faults if fault.split(": ")[1] not in UNSPOKEN] == []
