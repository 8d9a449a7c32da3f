"""HTTP endpoints of actors: routes as mail, with and without a socket."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import random
import re
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import libprocess.http.routes
import libprocess.http.server
from libprocess import PID, Address, Message, Process, Runtime
from libprocess.errors import OperatorError
from libprocess.http import HttpRequest, HttpRequestMessage, HttpResponse, HttpResponseMessage
from libprocess.http.server import HttpServer
from libprocess.ports import Envelope, Node
from libprocess.system import DiskStorage, LoopClock


class NoNetwork:
    """The network of a node that has no peers."""

    def start(self, node: Node) -> Address:
        return Address("127.0.0.1", 1)

    def send(self, envelope: Envelope) -> None:
        raise AssertionError(f"mail for elsewhere: {envelope}")

    def flush(self) -> None:
        pass

    def connect(self, address: Address) -> None:
        pass

    def principal(self, address: Address) -> str | None:
        return None

    def close(self) -> None:
        pass


class AnswerMessage(Message, frozen=True):
    """To the clerk: answer those who wait."""


class Clerk(Process):
    """Answers in every way there is."""

    def initialize(self) -> None:
        self.waiting: list[PID] = []
        self.handled = 0
        self.route("/", self.root)
        self.route("/state", self.state)
        self.route("/echo", self.echo, methods=("GET", "POST"))
        self.route("/orders", self.orders, methods=("POST",))
        self.route("/jobs/*", self.job)
        self.route("/jobs/all/*", self.all_jobs)
        self.route("/later", self.later)
        self.route("/broken", self.broken, methods=("GET", "POST"))
        self.route("/large", lambda request: HttpResponse.json(["task"] * 10_000))

    def root(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=b"the page", content_type="text/html")

    def state(self, request: HttpRequest) -> HttpResponse:
        self.handled += 1
        return HttpResponse.json({"handled": self.handled})

    def echo(self, request: HttpRequest) -> HttpResponse:
        asked = {"method": request.method, "path": request.path, "q": request.argument("q", "none")}
        return HttpResponse.json(asked | {"x": request.header("X-Word"), "body": request.body.decode()})

    def orders(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=202)

    def job(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.text(request.below)

    def all_jobs(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.text(f"all: {request.below}")

    def later(self, request: HttpRequest) -> None:
        self.waiting.append(self.sender)
        self.delay(0, AnswerMessage())

    def answer(self, message: AnswerMessage) -> None:
        for asker in self.waiting:
            self.send(asker, HttpResponseMessage(HttpResponse.text("at last")))

    def broken(self, request: HttpRequest) -> HttpResponse:
        raise RuntimeError("a bug")


class Silent(Process):
    """Never answers."""

    def initialize(self) -> None:
        self.route("/", lambda request: None)


class World:
    """A node with a clerk, on a loop of its own."""

    def __init__(self, directory: Path) -> None:
        self.loop = asyncio.Runner()
        clock, storage = LoopClock(self.loop.get_loop()), DiskStorage(directory)
        self.runtime = Runtime(clock=clock, network=NoNetwork(), chance=random.Random(1), storage=storage)
        self.runtime.routes.root = "clerk(1)"
        self.clerk = self.runtime.spawn(Clerk())
        self.run(asyncio.sleep(0))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run(work)

    def ask(self, path: str, method: str = "GET", **request: Any) -> HttpResponse:
        """The answer to a request, without a socket."""
        response = self.run(self.runtime.routes.answer(HttpRequest(method, path, **request)))
        assert isinstance(response, HttpResponse)
        return response

    def close(self) -> None:
        self.runtime.close()
        self.loop.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


# Without a socket.


@pytest.mark.parametrize("path", ["/clerk(1)/state", "/clerk(1)/state/", "/state", "/state/"])
def test_a_route_is_served_below_its_actors_id_and_the_root_actors_without(world: World, path: str):
    assert world.ask(path) == HttpResponse(200, b'{"handled":1}', "application/json")


@pytest.mark.parametrize("path", ["/", "/clerk(1)", "/clerk(1)/"])
def test_an_actor_may_have_a_page(world: World, path: str):
    assert world.ask(path).body == b"the page"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/jobs/7", b"7"),
        ("/jobs/7/tasks", b"7/tasks"),
        ("/jobs", b""),
        ("/jobs/all/7", b"all: 7"),
        ("/jobs/all", b"all: "),
    ],
)
def test_a_star_takes_all_below_and_the_longest_match_wins(world: World, path: str, body: bytes):
    assert world.ask(path).body == body


@pytest.mark.parametrize("path", ["/nosuch", "/clerk(1)/nosuch", "/clerk(2)/state", "/state/more"])
def test_no_route_is_a_404(world: World, path: str):
    assert world.ask(path) == HttpResponse(404, b"404 Not Found.", "text/plain; charset=utf-8")


def test_another_method_is_a_405_that_says_which(world: World):
    refused = world.ask("/orders", "GET")
    assert (refused.status, refused.headers) == (405, (("Allow", "POST"),))
    assert refused.body == b"405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'."
    assert world.ask("/orders", "POST") == HttpResponse(202)
    assert world.ask("/state", "HEAD").status == 200


def test_the_handler_sees_the_request(world: World):
    query, headers = (("q", "a"), ("q", "b")), (("x-word", "hello"),)
    asked = json.loads(world.ask("/echo", "POST", query=query, headers=headers, body=b"text").body)
    assert asked == {"method": "POST", "path": "/echo", "q": "a", "x": "hello", "body": "text"}
    assert json.loads(world.ask("/echo").body)["q"] == "none"


def test_a_request_waits_its_turn_in_the_mailbox(world: World):
    bodies: list[bytes] = []
    for _ in range(3):
        world.runtime.routes.request(HttpRequest("GET", "/state"), lambda response: bodies.append(response.body))
    assert world.runtime.mailbox_depths()[world.clerk] == 3
    assert bodies == []
    world.ask("/state")
    assert bodies == [b'{"handled":1}', b'{"handled":2}', b'{"handled":3}']


def test_an_actor_may_answer_later(world: World):
    assert world.ask("/later").body == b"at last"


def test_no_answer_in_time_is_a_503(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(libprocess.http.routes, "ANSWER_TIMEOUT_SECONDS", 0.001)
    world.runtime.spawn(Silent(), "silent")
    world.run(asyncio.sleep(0))
    refused = world.ask("/silent")
    assert refused.status == 503
    assert b"silent@127.0.0.1:1 did not answer HttpRequestMessage within 0.001 s" in refused.body


def test_a_bug_in_a_safe_handler_is_a_500_and_its_actor_lives(world: World, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR):
        refused = world.ask("/broken")
    assert (refused.status, refused.body) == (500, b"500 Internal Server Error. clerk(1) failed on /broken.")
    assert "a bug" in caplog.text
    assert world.ask("/state").status == 200


def test_a_bug_in_any_other_handler_is_a_500_and_ends_its_actor(world: World):
    assert world.ask("/broken", "POST").status == 500
    assert [str(failure.error) for failure in world.runtime.failures] == ["a bug"]
    assert world.ask("/state").status == 404


def test_the_routes_of_an_actor_end_with_it(world: World):
    world.runtime.terminate(world.clerk)
    world.run(world.runtime.wait(world.clerk))
    assert world.ask("/clerk(1)/state").status == 404


def test_requests_from_other_nodes_are_dropped(world: World):
    stranger, request = PID("x", "10.0.0.1", 1), HttpRequestMessage(HttpRequest("GET", "/state"), "/state")
    world.runtime.send(world.clerk, request, sender=stranger)
    world.run(asyncio.sleep(0))
    assert world.runtime.drops["HTTP requests are taken from this node's own door only"] == 1
    assert world.ask("/state").body == b'{"handled":1}'


@pytest.mark.parametrize("path", ["state", "/a*", "/*/b"])
def test_a_path_that_no_request_could_have_is_refused(world: World, path: str):
    with pytest.raises(ValueError, match="expected a path such as /state"):
        world.runtime.routes.add(world.clerk, path, lambda request: None)


def test_a_path_has_one_handler(world: World):
    with pytest.raises(ValueError, match=r"clerk\(1\) has the route /state/ already"):
        world.runtime.routes.add(world.clerk, "/state/", lambda request: None)


@pytest.mark.parametrize("text", ["plain", "é", "日本", "\U0001f600", 'quote " and \\ and \n'])
def test_json_is_one_line_of_ascii(text: str):
    body = HttpResponse.json({"text": text, "n": [1, 2.5, None]}).body
    assert body.isascii()
    assert b"\n" not in body
    assert json.loads(body) == {"text": text, "n": [1, 2.5, None]}


def test_a_redirect_says_where():
    assert HttpResponse.redirect("//h:5050/state").headers == (("Location", "//h:5050/state"),)


# With a socket.

Talk = Callable[[aiohttp.ClientSession], Coroutine[Any, Any, Any]]


def served(world: World, talk: Talk) -> Any:
    """What a client gets out of the clerk's node through a server on a port of its own."""

    async def run() -> Any:
        server = HttpServer(world.runtime, root="clerk(1)")
        await server.start()
        try:
            base = f"http://{server.address}"
            async with aiohttp.ClientSession(base, auto_decompress=False) as client:
                return await talk(client)
        finally:
            await server.close()

    return world.run(run())


def test_a_request_through_a_socket(world: World):
    async def talk(client: aiohttp.ClientSession) -> None:
        async with client.post("/clerk(1)/echo/?q=a%20b", data=b"text", headers={"X-Word": "hello"}) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "application/json"
            asked = {"method": "POST", "path": "/clerk(1)/echo/", "q": "a b", "x": "hello", "body": "text"}
            assert await response.json() == asked

    served(world, talk)


def test_head_has_the_headers_of_get_and_no_body(world: World):
    async def talk(client: aiohttp.ClientSession) -> None:
        async with client.head("/state") as response:
            assert (response.status, response.headers["Content-Length"], await response.read()) == (200, "13", b"")

    served(world, talk)


def test_an_empty_answer_has_no_content_type(world: World):
    async def talk(client: aiohttp.ClientSession) -> None:
        async with client.post("/orders") as response:
            assert response.status == 202
            assert "Content-Type" not in response.headers
            assert response.headers["Content-Length"] == "0"

    served(world, talk)


@pytest.mark.parametrize(
    ("path", "accepted", "encoding"),
    [
        ("/large", "gzip", "gzip"),
        ("/large", "deflate, GZIP;q=0.5", "gzip"),
        ("/large", "gzip;q=0, identity", None),
        ("/large", "identity", None),
        ("/state", "gzip", None),
    ],
)
def test_large_answers_are_compressed_for_those_who_accept_it(
    world: World, path: str, accepted: str, encoding: str | None
):
    async def talk(client: aiohttp.ClientSession) -> None:
        async with client.get(path, headers={"Accept-Encoding": accepted}) as response:
            assert response.headers.get("Content-Encoding") == encoding
            body = await response.read()
            assert json.loads(gzip.decompress(body) if encoding else body)

    served(world, talk)


def test_a_body_that_is_too_large_is_refused(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(libprocess.http.server, "BODY_BYTES_MAX", 1000)

    async def talk(client: aiohttp.ClientSession) -> None:
        async with client.post("/echo", data=b"x" * 1000) as response:
            assert response.status == 200
        async with client.post("/echo", data=b"x" * 1001) as response:
            assert response.status == 413
            assert await response.read() == b"expected a body of at most 1000 bytes"

    served(world, talk)


def test_a_body_that_does_not_arrive_is_refused(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(libprocess.http.server, "BODY_TIMEOUT_SECONDS", 0.01)

    half = b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf"
    assert served(world, lambda client: raw(client, half)) == b"HTTP/1.1 408 Request Timeout\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/x\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n",
        b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_nonsense_is_refused_and_counted_and_not_logged(world: World, sent: bytes, caplog: pytest.LogCaptureFixture):
    assert served(world, lambda client: raw(client, sent)).split()[1] == b"400"
    assert world.runtime.metrics.snapshot()["http/bad_requests"] >= 1
    assert caplog.text == ""


async def raw(client: aiohttp.ClientSession, sent: bytes) -> bytes:
    """The first line of the answer to just these bytes."""
    assert client._base_url is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", client._base_url.port)
    writer.write(sent)
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer


def test_a_request_that_never_comes_to_its_end_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(libprocess.http.server, "IDLE_SECONDS", 0.2)

    async def talk(client: aiohttp.ClientSession) -> None:
        assert client._base_url is not None
        reader, writer = await asyncio.open_connection(client._base_url.host, client._base_url.port)
        writer.write(b"GET /state HTTP/1.1\r\nHost: x\r\n")
        left = asyncio.ensure_future(reader.read())
        while not left.done():  # one header after another, and never the last
            writer.write(b"X-More: 1\r\n")
            await asyncio.sleep(0.02)
        with suppress(ConnectionError):  # what was sent after the end is answered so
            assert await left == b""
        writer.close()

    served(world, talk)


def test_every_node_shows_its_metrics_and_its_actors(world: World):
    async def talk(client: aiohttp.ClientSession) -> None:
        world.runtime.metrics.counter("clerk/orders").value += 3
        async with client.get("/metrics/snapshot") as response:
            metrics = await response.json()
        assert metrics["clerk/orders"] == 3
        assert metrics["runtime/mail_dropped"] == 0
        assert metrics["runtime/actors"] >= 3
        async with client.get("/__processes__") as response:
            actors = await response.json()
        assert {"id": "clerk(1)", "class": "Clerk", "mailbox_depth": 0} in actors

    served(world, talk)


@pytest.mark.parametrize("path", ["/", "/large"])
def test_who_has_the_body_already_is_not_sent_it_again(world: World, path: str):
    async def talk(client: aiohttp.ClientSession) -> None:
        async with client.get(path) as response:
            tag, whole = response.headers["ETag"], await response.read()
        for had in (tag, f'"x", {tag}'):
            async with client.get(path, headers={"If-None-Match": had}) as response:
                assert (response.status, response.headers["ETag"], await response.read()) == (304, tag, b"")
        async with client.get(path, headers={"If-None-Match": '"x"'}) as response:
            assert (response.status, await response.read()) == (200, whole)

    served(world, talk)


def test_what_has_changed_has_another_tag(world: World):
    async def talk(client: aiohttp.ClientSession) -> None:
        async with client.get("/state") as first, client.get("/state") as second:
            assert first.headers["ETag"] != second.headers["ETag"]

    served(world, talk)


@pytest.mark.parametrize(
    ("method", "origin", "status"),
    [
        ("POST", None, 202),
        ("POST", "http://{host}", 202),
        ("POST", "http://elsewhere.example", 403),
        ("POST", "null", 403),
        ("GET", "http://elsewhere.example", 405),
    ],
)
def test_a_page_of_another_origin_changes_nothing(world: World, method: str, origin: str | None, status: int):
    async def talk(client: aiohttp.ClientSession) -> None:
        assert client._base_url is not None
        host = f"{client._base_url.host}:{client._base_url.port}"
        headers = {} if origin is None else {"Origin": origin.format(host=host)}
        async with client.request(method, "/orders", headers=headers) as response:
            assert response.status == status

    served(world, talk)


def test_metrics_are_shown_to_prometheus_under_names_it_knows(world: World):
    async def talk(client: aiohttp.ClientSession) -> None:
        world.runtime.metrics.counter("clerk/orders").value += 3
        async with client.get("/metrics") as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            lines = (await response.text()).splitlines()
        assert "clerk_orders 3.0" in lines
        assert all(re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]* \S+", line) for line in lines)

    served(world, talk)


def test_a_taken_port_is_told_in_one_line(world: World):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        expected = f"port {port} of 127.0.0.1 is taken: another program listens there"
        with pytest.raises(OperatorError, match=expected):
            world.run(HttpServer(world.runtime, port=port).start())


@pytest.mark.parametrize(
    ("host", "text"),
    [("192.0.2.1", "192.0.2.1 is no address of this machine"), ("no.invalid", "cannot listen on no.invalid")],
)
def test_an_address_that_is_not_ours_is_told_in_one_line(world: World, host: str, text: str):
    with pytest.raises(OperatorError, match=text) as caught:
        world.run(HttpServer(world.runtime, host=host).start())
    assert "\n" not in str(caught.value)


def test_a_closed_server_frees_its_port(world: World):
    async def run() -> None:
        first = HttpServer(world.runtime)
        await first.start()
        await first.close()
        await first.close()
        second = HttpServer(world.runtime, port=first.address.port)
        await second.start()
        await second.close()

    world.run(run())


def test_every_node_tells_of_its_machine_and_of_its_routes(world: World):
    async def talk(client: aiohttp.ClientSession) -> None:
        async with client.get("/system/stats.json") as response:
            stats = await response.json()
            assert stats["cpus_total"] >= 1
            assert stats["mem_total_bytes"] > stats["mem_free_bytes"] > 0
            assert {"avg_load_1min", "avg_load_5min", "avg_load_15min"} <= set(stats)
        async with client.get("/help", headers={"Accept-Encoding": "identity"}) as response:
            lines = (await response.text()).splitlines()
            assert any(line.split()[:2] == ["GET,POST", "/clerk(1)/echo"] for line in lines)
        async with client.get("/help/metrics/snapshot") as response:
            assert (await response.text()).startswith("GET       /metrics/snapshot")
        async with client.get("/help/nothing") as response:
            assert response.status == 404
        for timeout, status in (("5secs", 200), ("soon", 400)):
            async with client.get(f"/metrics/snapshot?timeout={timeout}") as response:
                assert response.status == status

    served(world, talk)


def test_json_is_handed_to_a_function_of_a_page_unless_it_is_for_some_only(world: World):
    async def talk(client: aiohttp.ClientSession) -> None:
        async def ask(query: str, **headers: str) -> tuple[int, str, str]:
            async with client.get(f"/state{query}", headers=headers) as response:
                return response.status, response.headers["Content-Type"], await response.text()

        assert await ask("?jsonp=angular.callbacks._0") == (
            200,
            "text/javascript",
            'angular.callbacks._0({"handled":1});',
        )
        assert (await ask("?jsonp=alert(1)//"))[0] == 400
        assert (await ask("?jsonp=show", Authorization="Basic eDp5"))[0] == 403
        for site, status in (("cross-site", 403), ("same-site", 200)):
            assert (await ask("?jsonp=show", **{"Sec-Fetch-Site": site}))[0] == status
        async with client.get("/jobs/all/x?jsonp=show") as response:
            assert await response.text() == "all: x"

    served(world, talk)


@pytest.fixture
def usual_level() -> Iterator[int]:
    """The level of the log while it is nobody else's to set."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.WARNING)
    yield logging.WARNING
    root.setLevel(level)


def test_everything_is_logged_for_a_while(world: World, usual_level: int):
    root = logging.getLogger()

    async def talk(client: aiohttp.ClientSession) -> None:
        async def toggle(method: str, query: str) -> tuple[int, str]:
            async with client.request(method, f"/logging/toggle{query}") as response:
                return response.status, await response.text()

        assert await toggle("GET", "") == (200, "0\n")
        assert await toggle("POST", "?level=1&duration=1hrs") == (200, "")
        assert (await toggle("GET", ""), root.level) == ((200, "1\n"), logging.DEBUG)
        assert await toggle("POST", "?level=0&duration=1hrs") == (200, "")
        assert root.level == usual_level
        for method, query, status in (
            ("GET", "?level=1&duration=1hrs", 405),
            ("POST", "?level=4&duration=1hrs", 400),
            ("POST", "?level=x&duration=1hrs", 400),
            ("POST", "?level=1&duration=soon", 400),
            ("POST", "?level=1", 400),
        ):
            assert (await toggle(method, query))[0] == status
        await toggle("POST", "?level=3&duration=20ms")
        while root.level != usual_level:
            await asyncio.sleep(0.01)

    served(world, talk)
