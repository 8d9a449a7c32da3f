"""The edges: nodes in programs with a loop of their own, and in programs that have none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from libprocess import PID, Process, ThreadedNode, open_node, run
from libprocess.errors import OperatorError
from libprocess.zeromq import silence_seconds
from tests.libprocess.actors import Echo, Listener, TextMessage


@pytest.mark.parametrize("runner", [asyncio.run, run], ids=["asyncio", "uvloop"])
def test_a_node_runs_on_whatever_loop_there_is(runner: Callable[[Coroutine[Any, Any, None]], None]):
    async def main() -> None:
        async with open_node() as one, open_node() as two:
            echo = two.spawn(Echo())
            asks = (one.ask(echo, TextMessage(str(number)), timeout=10) for number in range(100))
            assert await asyncio.gather(*asks) == [TextMessage(str(number)) for number in range(100)]

    runner(main())


def test_asking_within_a_node_and_waiting_for_an_end():
    async def main() -> None:
        async with open_node() as node:
            echo = node.spawn(Echo())
            assert await node.ask(echo, TextMessage("a"), timeout=10) == TextMessage("a")
            node.terminate(echo)
            assert await node.wait(echo) == "terminated"
            with pytest.raises(ConnectionError, match=r"echo\(1\)@.* was not reached: no such actor"):
                await node.ask(echo, TextMessage("a"), timeout=10)

    run(main())


def test_an_ask_that_is_given_up_is_forgotten_when_its_time_is_over():
    async def main() -> None:
        async with open_node() as node:
            listener = node.spawn(Listener())
            given_up = node.ask(listener, TextMessage("a"), timeout=0.02)
            given_up.cancel()
            with pytest.raises(TimeoutError, match=r"did not answer TextMessage within 0.02 s"):
                await node.ask(listener, TextMessage("a"), timeout=0.02)
            assert len(node.asks) == 0

    run(main())


def test_who_asks_a_closing_node_is_told():
    async def main() -> None:
        async with open_node() as node:
            listener = node.spawn(Listener())
            asking = asyncio.ensure_future(node.ask(listener, TextMessage("a"), timeout=60))
            await asyncio.sleep(0)
        with pytest.raises(ConnectionError):
            await asking

    run(main())


def test_what_an_actor_stores_is_there_in_the_next_life(tmp_path: Path):
    class Writer(Process):
        def initialize(self) -> None:
            self.storage.write("a/b", b"kept")

    async def main() -> None:
        async with open_node(storage=tmp_path) as node:
            node.spawn(Writer())
        async with open_node(storage=tmp_path) as node:
            assert node.storage.read("a/b") == b"kept"

    run(main())


def test_a_node_without_a_storage_leaves_nothing_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def main() -> None:
        async with open_node() as node:
            assert list(tmp_path.iterdir()) == []  # a program that is killed cleans up nothing
            node.storage.write("a", b"kept")
            assert node.storage.read("a") == b"kept"
        assert list(tmp_path.iterdir()) == []

    run(main())


def test_a_program_without_a_loop_spawns_asks_sends_and_waits():
    with ThreadedNode() as node:
        echo, listener = node.spawn(Echo()), Listener()
        ear = node.spawn(listener)
        assert node.ask(echo, TextMessage("a"), timeout=10) == TextMessage("a")
        node.send(ear, TextMessage("b"))
        node.terminate(ear, drain=True)
        node.wait(ear)
    assert listener.heard == ["begin", "b", "end"]


def test_a_threaded_node_ends_its_actors_when_it_closes_and_may_close_twice():
    listener = Listener()
    with ThreadedNode() as node:
        node.spawn(listener)
        node.close()
    assert listener.finals == 1


def test_errors_of_a_threaded_node_reach_who_called():
    with ThreadedNode() as node:
        node.spawn(Echo(), "echo")
        with pytest.raises(ValueError, match="there is an actor called echo@"):
            node.spawn(Echo(), "echo")
        with pytest.raises(ConnectionError):
            node.ask(PID("nobody", *node.runtime.address), TextMessage("a"), timeout=10)


def test_an_actor_that_waits_for_its_own_node_fails_rather_than_hang():
    class Impatient(Process):
        def text(self, message: TextMessage) -> None:
            node.ask(self.pid, message, timeout=10)

    with ThreadedNode() as node:
        pid = node.spawn(Impatient())
        node.send(pid, TextMessage("a"))
        node.wait(pid)
        assert "an actor of this node cannot wait for it" in str(node.runtime.failures[0].error)


@pytest.mark.parametrize(("said", "seconds"), [({}, 15.0), ({"LIBPROCESS_SILENCE": "500ms"}, 0.5)])
def test_the_environment_says_how_long_a_peer_may_be_silent(said: dict[str, str], seconds: float):
    assert silence_seconds(said) == seconds


@pytest.mark.parametrize("text", ["5", "1ms", "-2secs"])
def test_a_silence_that_is_no_duration_or_too_short_is_refused(text: str):
    with pytest.raises(OperatorError, match="LIBPROCESS_SILENCE: expected .*found '" + text):
        silence_seconds({"LIBPROCESS_SILENCE": text})
