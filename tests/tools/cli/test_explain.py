"""`python -m tools.cli explain`, against a master on a real port."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest

from libprocess import PID, Message, Process
from libprocess.edge import open_node
from libprocess.http.server import HttpServer
from libprocess.pid import Address
from master.flags import MasterFlags
from master.master import MASTER, Master
from mesos.messages import (
    AgentRegisteredMessage,
    FrameworkRegisteredMessage,
    RegisterAgentMessage,
    RegisterFrameworkMessage,
)
from mesos.resources import Resources
from mesos.types import AgentInfo, FrameworkInfo
from tools.cli.__main__ import main


class Peer(Process):
    """A scheduler or an agent that registers, and stays."""

    def __init__(self, master: PID, words: Message) -> None:
        self.answered = asyncio.Event()
        self._master = master
        self._words = words

    def initialize(self) -> None:
        self.send(self._master, self._words)

    def framework_registered(self, message: FrameworkRegisteredMessage) -> None:
        self.answered.set()

    def agent_registered(self, message: AgentRegisteredMessage) -> None:
        self.answered.set()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A master's web address. Known there are an agent `box`, and two frameworks, `first` and `second`."""
    started, over = threading.Event(), threading.Event()
    addresses: list[str] = []
    work_dir = str(tmp_path_factory.mktemp("master"))

    async def serve() -> None:
        async with open_node(storage=work_dir) as node:
            server = HttpServer(node, root=MASTER, host="127.0.0.1", port=0)
            await server.start()
            web = Address("127.0.0.1", server.address.port)
            master = node.spawn(Master(MasterFlags(work_dir=work_dir), web), MASTER)
            box = AgentInfo("box", resources=Resources.parse("cpus:0.001"))
            words = [RegisterFrameworkMessage(FrameworkInfo("me", name)) for name in ("first", "second")]
            peers = [Peer(master, message) for message in (*words, RegisterAgentMessage(box, "1"))]
            for peer in peers:
                node.spawn(peer)
            await asyncio.wait_for(asyncio.gather(*(peer.answered.wait() for peer in peers)), 30)
            addresses.append(str(web))
            started.set()
            await asyncio.to_thread(over.wait)
            await server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(30)
    yield addresses[0]
    over.set()
    thread.join()


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr("sys.argv", ["tools.cli", *words])
    assert main() == 0


def mistake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is said of a mistake: one line."""
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, *words)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


def test_it_says_why(address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    run(monkeypatch, "explain", "--master", address, "--framework", "first", "--agent", "box")
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].endswith("in role *")
    assert lines[1].endswith("(box)")
    assert lines[2].split(maxsplit=1) == ["MINIMUM", "only cpus:0.001 is free there, less than an offer has to hold"]
    assert len(lines) == 3


def test_it_says_it_as_json(address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    run(monkeypatch, "explain", "--master", address, "--framework", "second", "--json")
    answer = json.loads(capsys.readouterr().out)

    assert [agent["hostname"] for agent in answer["agents"]] == ["box"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--framework", "third"), "there is no framework 'third'; there are "),
        (("--framework", "first", "--agent", "crate"), "there is no agent 'crate'; there are "),
    ],
)
def test_what_is_not_there_is_told_in_one_line(
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    text: str,
):
    assert text in mistake(monkeypatch, capsys, "explain", "--master", address, *words)


@pytest.mark.parametrize(
    ("master", "text"),
    [
        ("nonsense", "--master: expected HOST:PORT, found 'nonsense'"),
        ("127.0.0.1:1", "no master answers at 127.0.0.1:1"),
    ],
)
def test_a_master_that_does_not_answer_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], master: str, text: str
):
    assert text in mistake(monkeypatch, capsys, "explain", "--master", master, "--framework", "f")
