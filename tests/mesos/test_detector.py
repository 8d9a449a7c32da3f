"""The detector of a master that stands alone, in a simulated world; and its finder, over real HTTP."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from libprocess import PID, Address, Message, Process, Runtime
from libprocess.simulation import World
from mesos.detector import (
    MasterDetectedMessage,
    MasterDetector,
    MasterFoundMessage,
    MasterNotFoundError,
    MasterNotFoundMessage,
    find_master,
    parse_master,
    require_master,
)
from mesos.detector.zookeeper import ZooKeeperUrl
from mesos.types import MasterInfo

MASTER = MasterInfo(id="M1", pid=PID("master", "m", 5050))
BACKOFF_MAX_SECONDS = 5.0


class Subscriber(Process):
    def __init__(self) -> None:
        self.masters: list[MasterInfo | None] = []

    def master_detected(self, message: MasterDetectedMessage) -> None:
        self.masters.append(message.master)


class Finder:
    """Knows the master, or does not."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.master: MasterInfo | None = MASTER
        self.searches = 0

    def find(self, asker: PID) -> None:
        self.searches += 1
        if self.master is None:
            self._runtime.send(asker, MasterNotFoundMessage("nobody is there"))
        else:
            self._runtime.send(asker, MasterFoundMessage(self.master))


class Scene:
    def __init__(self, world: World) -> None:
        self.world = world
        self._node = node = self.world.node("h")
        self.finder = Finder(node)
        self.subscriber = Subscriber()
        self._detector = MasterDetector(node.spawn(self.subscriber), self.finder)

    def start_master(self) -> Runtime:
        node = self.world.node("m")
        node.spawn(Process(), "master")
        return node

    def start_detector(self) -> None:
        self._pid = self._node.spawn(self._detector)
        self.world.settle()

    def tell(self, news: Message) -> None:
        """Something that the finder says without being asked."""
        self._node.send(self._pid, news)
        self.world.settle()

    @property
    def told(self) -> list[MasterInfo | None]:
        return self.subscriber.masters


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def test_the_master_that_is_found_is_told(scene: Scene):
    scene.start_master()
    scene.start_detector()
    assert scene.told == [MASTER]


def test_nothing_is_told_while_there_is_no_master(scene: Scene):
    scene.finder.master = None
    scene.start_detector()
    scene.world.advance(60)
    assert scene.told == []


def test_a_master_that_comes_late_is_found(scene: Scene):
    scene.finder.master = None
    scene.start_detector()
    scene.world.advance(60)
    scene.start_master()
    scene.finder.master = MASTER
    scene.world.advance(BACKOFF_MAX_SECONDS)
    assert scene.told == [MASTER]


def test_a_master_that_ends_is_lost_and_its_successor_found_at_once(scene: Scene):
    node = scene.start_master()
    scene.start_detector()
    scene.world.advance(60)
    scene.world.crash(node)
    scene.start_master()
    scene.world.advance(1)
    assert scene.told == [MASTER, None, MASTER]


def test_a_master_that_is_started_again_and_again_is_found_as_soon_each_time(scene: Scene):
    node = scene.start_master()
    scene.start_detector()
    for _ in range(10):
        scene.world.advance(3)
        scene.world.crash(node)
        scene.finder.master = None
        scene.world.advance(1)
        node, scene.finder.master = scene.start_master(), MASTER
        scene.world.advance(1)
        assert scene.told[-1] == MASTER


def test_a_finder_that_watches_tells_each_change_of_itself(scene: Scene):
    successor = MasterInfo(id="M2", pid=PID("master", "m2", 5050))
    scene.world.node("m2").spawn(Process(), "master")
    scene.start_master()
    scene.start_detector()
    for news in (MasterFoundMessage(MASTER), MasterFoundMessage(successor), MasterNotFoundMessage("nobody leads")):
        scene.tell(news)
    assert scene.told == [MASTER, successor, None]


def test_news_of_a_finder_that_watches_make_no_more_searches(scene: Scene):
    scene.finder.master = None
    scene.start_detector()
    for _ in range(50):
        scene.tell(MasterNotFoundMessage("nobody leads"))
    searches = scene.finder.searches
    scene.world.advance(600)
    assert scene.finder.searches - searches <= 2 * 600 / BACKOFF_MAX_SECONDS


def test_who_led_before_is_not_missed(scene: Scene):
    successor = MasterInfo(id="M2", pid=PID("master", "m2", 5050))
    scene.world.node("m2").spawn(Process(), "master")
    node = scene.start_master()
    scene.start_detector()
    scene.tell(MasterFoundMessage(successor))
    scene.world.crash(node)
    scene.world.advance(60)
    assert scene.told == [MASTER, successor]


def test_searches_become_rarer_and_never_end(scene: Scene):
    scene.finder.master = None
    scene.start_detector()
    scene.world.advance(60)
    first_minute = scene.finder.searches
    scene.world.advance(600)
    later = scene.finder.searches - first_minute
    assert first_minute < 40
    assert 600 / BACKOFF_MAX_SECONDS <= later <= 2 * 600 / BACKOFF_MAX_SECONDS


def test_a_master_that_cannot_be_reached_is_looked_for_as_rarely(scene: Scene):
    scene.start_detector()  # the finder names a node that does not live
    scene.world.advance(600)
    assert scene.finder.searches <= 2 * 600 / BACKOFF_MAX_SECONDS


def test_a_search_in_vain_is_logged_once(scene: Scene, caplog: pytest.LogCaptureFixture):
    scene.finder.master = None
    with caplog.at_level(logging.WARNING, "mesos.detector"):
        scene.start_detector()
        scene.world.advance(60)
    assert [record.getMessage() for record in caplog.records] == ["nobody is there; trying again until it is there"]


# The finder.


class Web(BaseHTTPRequestHandler):
    status = 200
    refusals_left = 0
    body = b'{"pid": "master@10.0.0.1:6050", "from": "a newer master"}'

    def do_GET(self) -> None:
        starting = type(self).refusals_left > 0
        type(self).refusals_left -= starting
        self.send_response(503 if starting else self.status if self.path == "/master/pid" else 404)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[type[Web]]:
    """A web server; what it answers can be changed."""

    class OwnWeb(Web):
        address: Address

    server = HTTPServer(("127.0.0.1", 0), OwnWeb)
    OwnWeb.address = Address("127.0.0.1", server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield OwnWeb
    server.shutdown()
    thread.join()
    server.server_close()


def free_port() -> Address:
    with HTTPServer(("127.0.0.1", 0), Web) as server:
        return Address("127.0.0.1", server.server_port)


def problem(address: Address) -> str:
    with pytest.raises(MasterNotFoundError) as error:
        asyncio.run(find_master(address))
    return str(error.value)


def test_a_master_is_found_from_its_web_port(web: type[Web]):
    master = asyncio.run(find_master(web.address))
    assert master.pid == PID("master", "10.0.0.1", 6050)
    assert (master.hostname, master.port) == web.address


def test_a_dead_address_is_named_with_the_reason():
    address = free_port()
    assert problem(address) == f"expected a master at {address}, nobody answers: connection refused"


def test_a_name_that_nobody_has_is_named_with_the_reason():
    assert problem(Address("nobody.invalid", 1)).startswith("expected a master at nobody.invalid:1, nobody answers: ")


def test_a_web_server_that_is_no_master_is_called_that(web: type[Web]):
    web.status = 404
    assert problem(web.address).endswith("who answers is no master: GET /master/pid gives 404")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"pid": "nonsense"}', b'{"pid": 7}'])
def test_an_answer_that_makes_no_sense_is_no_master(web: type[Web], body: bytes):
    web.body = body
    assert "who answers is no master: " in problem(web.address)


def test_who_needs_a_master_is_told_what_to_do_when_there_is_none():
    address = free_port()
    with pytest.raises(MasterNotFoundError, match="connection refused; start one with mesos-master or mesos-local, or"):
        asyncio.run(require_master(address, seconds=0))


def test_who_needs_a_master_waits_for_one_that_is_starting(web: type[Web]):
    web.refusals_left = 1
    assert asyncio.run(require_master(web.address, seconds=30)).pid.port == 6050


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1:80", Address("10.0.0.1", 80)),
        ("m.example", Address("m.example", 5050)),
        ("[::1]:1", Address("::1", 1)),
        ("http://10.0.0.1:80/", Address("10.0.0.1", 80)),
    ],
)
def test_the_address_of_a_master_is_read(text: str, address: Address):
    assert parse_master(text) == address


@pytest.mark.parametrize(
    "text", ["", "m:port", "m:70000", ":5050", "ann:secret@m:5050", "ftp://m:5050", "http://m:5050/state"]
)
def test_what_is_no_address_of_a_master_is_refused(text: str):
    with pytest.raises(ValueError, match=r"^expected a master's host:port such as 127\.0\.0\.1:5050, or zk:") as error:
        parse_master(text)
    assert "secret" not in str(error.value)


def test_the_address_of_a_master_may_stand_in_a_file(tmp_path: Path):
    file = tmp_path / "address"
    file.write_text("zk://m:2181/mesos\n")
    assert parse_master(f"file://{file}") == ZooKeeperUrl((Address("m", 2181),), "/mesos")
    with pytest.raises(ValueError, match="expected a file with a master's address, found /nowhere: No such file"):
        parse_master("file:///nowhere")
