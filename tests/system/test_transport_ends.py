"""Nodes that die, stop, or fall behind: noticed, told to whoever is linked, and no mail for the next life."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from libprocess import PID, ExitedMessage, Process, ThreadedNode
from libprocess.zeromq.link import WAITING_BYTES_MAX
from tests.system.far import FarNode, KeptMessage, ReportMessage, Talker, TalkMessage, TellMessage
from tests.system.waiting import eventually


class Watcher(Process):
    """Links to an actor, and keeps what it is told of its end."""

    def __init__(self, to: PID) -> None:
        self.to = to
        self.ends: list[str] = []

    def initialize(self) -> None:
        self.link(self.to)

    def exited(self, message: ExitedMessage) -> None:
        self.ends.append(message.reason)


@pytest.fixture
def node() -> Iterator[ThreadedNode]:
    with ThreadedNode(silence_seconds=1.0) as node:
        yield node


def kept(node: ThreadedNode, talker: PID) -> tuple[str, ...]:
    answer = node.ask(talker, ReportMessage(), timeout=30)
    assert isinstance(answer, KeptMessage)
    return answer.texts


def watched(node: ThreadedNode, far: FarNode) -> Watcher:
    watcher = Watcher(far.talker)
    node.spawn(watcher)
    assert kept(node, far.talker) == ()
    return watcher


def test_kill_9_is_noticed_by_the_side_that_dialled(node: ThreadedNode):
    with FarNode() as far:
        watcher = watched(node, far)
        far.kill()
        eventually(lambda: watcher.ends)
    assert watcher.ends == ["disconnected"]


def test_kill_9_is_noticed_by_the_side_that_was_dialled(node: ThreadedNode):
    mine, witness = node.spawn(Talker()), ThreadedNode()
    with witness, FarNode() as far:
        witness.send(far.talker, TellMessage(mine, 1))  # the far node dials this one
        eventually(lambda: kept(node, mine) == ("0",))
        watcher = watched(node, far)
        far.kill()
        eventually(lambda: watcher.ends)
    assert watcher.ends == ["disconnected"]


def test_a_stopped_process_is_noticed_after_its_time_of_silence(node: ThreadedNode):
    with FarNode(silence_seconds=1.0) as far:
        watcher = watched(node, far)
        os.kill(far.process.pid, signal.SIGSTOP)
        eventually(lambda: watcher.ends)
    assert watcher.ends == ["disconnected"]


def test_a_process_that_stops_with_its_window_full_is_noticed_too(node: ThreadedNode):
    with FarNode(silence_seconds=1.0) as far:
        watcher = watched(node, far)
        os.kill(far.process.pid, signal.SIGSTOP)
        for _ in range(10_000):
            node.send(far.talker, TalkMessage("", b"x" * 1000))
        eventually(lambda: watcher.ends)
    assert set(node.runtime.drops) <= {"link broken"}


def test_no_mail_for_the_dead_reaches_who_is_started_in_its_place(node: ThreadedNode):
    teller = node.spawn(Talker())
    with FarNode() as far:
        watcher = watched(node, far)
        os.kill(far.process.pid, signal.SIGSTOP)
        node.send(teller, TellMessage(far.talker, 2000, b"x" * 1000))
        eventually(lambda: node.runtime.processes and not node.runtime.mailbox_depths())
        far.kill()
        with FarNode(port=far.talker.port) as next_life:
            assert next_life.talker == far.talker
            eventually(lambda: watcher.ends)
            for text in ("a", "b"):
                node.send(next_life.talker, TalkMessage(text))
            assert kept(node, next_life.talker) == ("a", "b")


def test_no_mail_sent_while_nobody_was_there_arrives_later(node: ThreadedNode):
    with FarNode() as far:
        watcher = watched(node, far)
        far.kill()
        eventually(lambda: watcher.ends)
        for number in range(500):
            node.send(far.talker, TalkMessage(str(number)))
        eventually(lambda: node.runtime.drops["link broken"] == 500)
        with FarNode(port=far.talker.port) as next_life:
            assert kept(node, next_life.talker) == ()


def test_a_node_that_was_restarted_is_taken_for_the_new_one_even_if_nobody_saw_the_old_one_go():
    with ThreadedNode() as node:
        mine = node.spawn(Talker())
        witness = ThreadedNode()
        with witness, FarNode() as far:
            watcher = watched(node, far)
            os.kill(far.process.pid, signal.SIGSTOP)
            far.kill()
            with FarNode(port=far.talker.port) as next_life:
                witness.send(next_life.talker, TellMessage(mine, 1))  # it dials this node, which may not know yet
                eventually(lambda: kept(node, mine) == ("0",))
                eventually(lambda: watcher.ends)
                assert kept(node, next_life.talker) == ()


def test_who_takes_its_mail_too_slowly_costs_bounded_memory_and_then_its_link():
    with ThreadedNode() as node, FarNode() as far:
        watcher, mine = watched(node, far), node.spawn(Talker())
        os.kill(far.process.pid, signal.SIGSTOP)
        before = psutil.Process().memory_info().rss
        filling, sent = b"x" * 10_000, 0
        while not watcher.ends:
            node.send(far.talker, TalkMessage("", filling))
            sent += 1
            if not sent % 100:
                kept(node, mine)  # all so far has left the mailboxes
        grown = psutil.Process().memory_info().rss - before
        assert watcher.ends[0].startswith("too slow: ")
        assert sent * len(filling) < WAITING_BYTES_MAX + 64 * 1024 * 1024
        assert grown < 3 * WAITING_BYTES_MAX
        assert node.runtime.drops["link broken"] * len(filling) > WAITING_BYTES_MAX * 0.9
