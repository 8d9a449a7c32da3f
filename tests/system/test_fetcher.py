"""The fetcher with real servers and files: what arrives, what is refused, and what is fetched only once."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import os
import tarfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

from agent.fetcher import Fetcher, FetchError, sources
from agent.fetcher.cache import Cache
from agent.fetcher.sources import Reader
from libprocess import run
from libprocess.metrics import Metrics
from mesos.types import URI

CACHE_BYTES = 1000
NOBODY = Reader(65534, 65534, [65534])


class Server:
    """A web server whose files the test provides."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        """Paths and ranges, as they came."""
        self.breaks_after = 0
        """Break the first connection after so many bytes."""
        self.gate = asyncio.Event()
        self.gate.set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        range_ = request.headers.get("Range", "")
        self.asked.append((request.path, range_))
        await self.gate.wait()
        content = self.files.get(request.path)
        if content is None:
            raise web.HTTPNotFound
        first = int(range_.removeprefix("bytes=").removesuffix("-") or 0)
        response = web.StreamResponse(status=206 if range_ else 200)
        response.content_length = len(content) - first
        await response.prepare(request)
        if self.breaks_after:
            await response.write(content[: self.breaks_after])
            self.breaks_after = 0
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write(content[first:])
        return response


class Stage:
    def __init__(self, tmp_path: Path, server: Server, url: str) -> None:
        self.server = server
        self.url = url
        self.sandbox = tmp_path / "sandbox"
        self.sandbox.mkdir()
        self.metrics = Metrics(lambda: 0.0)
        self.cache = Cache(tmp_path / "cache", CACHE_BYTES)
        self.fetcher = Fetcher(self.cache, str(tmp_path / "home"), self.metrics)

    async def fetch(self, *uris: URI, reader: Reader | None = None) -> list[str]:
        """Fetch, and say what is in the sandbox then."""
        await self.fetcher.fetch(uris, str(self.sandbox), reader)
        return self.names()

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.sandbox)) for path in self.sandbox.rglob("*") if path.is_file())

    def serve(self, name: str, content: bytes) -> str:
        self.server.files[f"/{name}"] = content
        return f"{self.url}/{name}"


Story = Callable[[Stage], Awaitable[None]]


def play(tmp_path: Path, story: Story) -> None:
    async def play_it() -> None:
        server = Server()
        runner = web.ServerRunner(web.Server(server.serve))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            await story(Stage(tmp_path, server, f"http://127.0.0.1:{runner.addresses[0][1]}"))
        finally:
            server.gate.set()
            await runner.cleanup()

    run(play_it())


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            tar.addfile(info, io.BytesIO(name.encode()))
    return buffer.getvalue()


def test_files_come_from_web_servers(tmp_path: Path):
    async def story(stage: Stage) -> None:
        url = stage.serve("data.txt", b"data")
        assert await stage.fetch(URI(url + "?version=1")) == ["data.txt"]
        assert (stage.sandbox / "data.txt").read_bytes() == b"data"
        assert stage.metrics.snapshot()["containerizer/fetcher/task_fetches_succeeded"] == 1

    play(tmp_path, story)


def test_where_a_file_goes_can_be_chosen(tmp_path: Path):
    async def story(stage: Stage) -> None:
        url = stage.serve("data.txt", b"data")
        assert await stage.fetch(URI(url, output_file="deep/down/here")) == ["deep/down/here"]

    play(tmp_path, story)


def test_programs_are_executable_and_not_extracted(tmp_path: Path):
    async def story(stage: Stage) -> None:
        url = stage.serve("tool.gz", b"#!/bin/sh")
        assert await stage.fetch(URI(url, executable=True)) == ["tool.gz"]
        assert os.access(stage.sandbox / "tool.gz", os.X_OK)

    play(tmp_path, story)


def test_archives_are_extracted_unless_they_are_wanted_whole(tmp_path: Path):
    async def story(stage: Stage) -> None:
        url = stage.serve("app.tar.gz", archive("app/a", "app/b"))
        assert await stage.fetch(URI(url)) == ["app.tar.gz", "app/a", "app/b"]
        assert await stage.fetch(URI(url, extract=False, output_file="whole/app.tar.gz")) == [
            "app.tar.gz",
            "app/a",
            "app/b",
            "whole/app.tar.gz",
        ]

    play(tmp_path, story)


def test_a_broken_connection_is_taken_up_where_it_broke(tmp_path: Path):
    async def story(stage: Stage) -> None:
        content = bytes(range(256)) * 4000
        url = stage.serve("large", content)
        stage.server.breaks_after = 100_000
        await stage.fetch(URI(url))
        assert (stage.sandbox / "large").read_bytes() == content
        (_, first), (_, second) = stage.server.asked
        assert first == ""
        assert second.startswith("bytes=")
        assert second != "bytes=0-"

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("{url}/missing", "{url}/missing cannot be fetched: the server answers 404 Not Found"),
        ("gopher://somewhere/x", "gopher://somewhere/x cannot be fetched: nothing here knows gopher; known are "),
        ("/no/such/file", "/no/such/file cannot be copied: No such file or directory"),
        ("/etc", "/etc cannot be copied: Is a directory"),
        ("tool", "{home}/tool cannot be copied: No such file or directory"),
        ("{url}/", "'{url}/' would go to ''; expected a path inside the sandbox"),
        ("{url}/x#md5:0", "'{url}/x#md5:0': expected #sha256:… after the URI, found 'md5:0'"),
    ],
)
def test_what_cannot_be_fetched_is_told(tmp_path: Path, uri: str, text: str):
    async def story(stage: Stage) -> None:
        with pytest.raises(FetchError) as raised:
            await stage.fetch(URI(uri.format(url=stage.url)))
        assert str(raised.value).startswith(text.format(url=stage.url, home=tmp_path / "home"))
        assert stage.metrics.snapshot()["containerizer/fetcher/task_fetches_failed"] == 1

    play(tmp_path, story)


@pytest.mark.parametrize("output_file", ["../escaped", "/tmp/escaped", "a/../../escaped", "nul\0"])
def test_nothing_goes_outside_the_sandbox(tmp_path: Path, output_file: str):
    async def story(stage: Stage) -> None:
        url = stage.serve("data", b"data")
        with pytest.raises(FetchError, match="expected a path inside the sandbox"):
            await stage.fetch(URI(url, output_file=output_file))
        assert stage.server.asked == []

    play(tmp_path, story)


def test_checksums_are_checked(tmp_path: Path):
    async def story(stage: Stage) -> None:
        url = stage.serve("data", b"data")
        right = hashlib.sha256(b"data").hexdigest()
        assert await stage.fetch(URI(f"{url}#sha256:{right}")) == ["data"]
        with pytest.raises(FetchError, match=f"{url} has the checksum {right}, expected {'0' * 64}"):
            await stage.fetch(URI(f"{url}#sha256:{'0' * 64}", output_file="wrong"))
        assert stage.names() == ["data"]

    play(tmp_path, story)


def test_requests_for_one_file_share_a_download(tmp_path: Path):
    async def story(stage: Stage) -> None:
        uri = stage.serve("data", b"data")
        stage.server.gate.clear()
        fetches = [
            asyncio.create_task(stage.fetch(URI(uri, cache=True, output_file=f"copy-{number}"))) for number in range(10)
        ]
        await asyncio.sleep(0)
        stage.server.gate.set()
        await asyncio.gather(*fetches)
        assert len(stage.server.asked) == 1
        assert len(stage.names()) == 10

    play(tmp_path, story)


def test_a_download_that_failed_is_tried_again_by_the_next(tmp_path: Path):
    async def story(stage: Stage) -> None:
        with pytest.raises(FetchError):
            await stage.fetch(URI(f"{stage.url}/data", cache=True))
        uri = stage.serve("data", b"data")
        assert await stage.fetch(URI(uri, cache=True)) == ["data"]

    play(tmp_path, story)


def test_what_was_used_longest_ago_leaves_a_full_cache(tmp_path: Path):
    async def story(stage: Stage) -> None:
        first, second, third = (stage.serve(name, name[:1].encode() * 400) for name in ("one", "two", "six"))
        for uri in (first, second, first, third, first, second):
            await stage.fetch(URI(uri, cache=True))
        assert [path for path, _ in stage.server.asked] == ["/one", "/two", "/six", "/two"]
        assert stage.cache.bytes_used <= CACHE_BYTES

    play(tmp_path, story)


def test_no_task_fails_because_of_the_cache(tmp_path: Path):
    async def story(stage: Stage) -> None:
        (tmp_path / "cache").write_text("a file in the place of its directory")
        assert await stage.fetch(URI(stage.serve("data", b"data"), cache=True)) == ["data"]

    play(tmp_path, story)


def test_a_file_that_is_there_already_is_replaced(tmp_path: Path):
    async def story(stage: Stage) -> None:
        urls = [stage.serve("one", b"a longer one"), stage.serve("two", b"two")]
        await stage.fetch(*(URI(url, output_file="same") for url in urls))
        assert (stage.sandbox / "same").read_bytes() == b"two"

    play(tmp_path, story)


def test_progress_is_told_in_the_log_and_no_password_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sources, "LOG_STEP_BYTES", 100_000)
    caplog.set_level(logging.INFO)

    async def story(stage: Stage) -> None:
        url = stage.serve("large", bytes(1_000_000))
        await stage.fetch(URI(url.replace("//", "//me:secret@")))
        shown = url.replace("//", "//me@")
        assert any(f"{shown}: " in line and line.endswith(" of 1000000 bytes") for line in caplog.messages)
        assert "secret" not in caplog.text

    play(tmp_path, story)


# FTP.


@contextmanager
def ftp_server(home: Path) -> Iterator[str]:
    """A real one, whose files are below a directory."""
    home.mkdir()
    authorizer = DummyAuthorizer()
    authorizer.add_anonymous(str(home))
    authorizer.add_user("me", "secret", str(home))
    handler = type("Handler", (FTPHandler,), {"authorizer": authorizer, "auth_failed_timeout": 0})
    server = FTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.address[1]}"
    finally:
        server.close_all()
        thread.join()


def test_files_come_from_ftp_servers(tmp_path: Path):
    async def story(stage: Stage) -> None:
        with ftp_server(tmp_path / "ftp") as address:
            (tmp_path / "ftp" / "dir").mkdir()
            (tmp_path / "ftp" / "dir" / "app.tar.gz").write_bytes(archive("a"))
            assert await stage.fetch(URI(f"ftp://me:secret@{address}/dir/app.tar.gz")) == ["a", "app.tar.gz"]
            assert "b" in await stage.fetch(URI(f"ftp://{address}/dir/app.tar.gz", extract=False, output_file="b"))

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("{address}/missing", "ftp://{address}/missing cannot be fetched: 550 "),
        ("me:wrong@{address}/x", "ftp://me@{address}/x cannot be fetched: 530 "),
        ("{address}/x%0d%0aDELE%20x", "ftp://{address}/x%0d%0aDELE%20x cannot be fetched: an illegal newline"),
    ],
)
def test_what_an_ftp_server_refuses_is_told(tmp_path: Path, place: str, text: str):
    async def story(stage: Stage) -> None:
        with ftp_server(tmp_path / "ftp") as address:
            with pytest.raises(FetchError) as raised:
                await stage.fetch(URI(f"ftp://{place.format(address=address)}", output_file="x"))
            assert str(raised.value).startswith(text.format(address=address))

    play(tmp_path, story)


def test_a_file_from_an_ftp_server_is_taken_up_where_it_broke(tmp_path: Path):
    with ftp_server(tmp_path / "ftp") as address:
        (tmp_path / "ftp" / "large").write_bytes(bytes(range(256)) * 1000)
        (tmp_path / "got").write_bytes((bytes(range(256)) * 1000)[:100_000])
        run(sources.retrieve(f"ftp://{address}/large", tmp_path / "got", None))
        assert (tmp_path / "got").read_bytes() == bytes(range(256)) * 1000


# Others.


def test_other_schemes_are_plugged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = tmp_path / "plugin"
    (package / "echo-1.dist-info").mkdir(parents=True)
    (package / "echo-1.dist-info" / "entry_points.txt").write_text("[mesolite.fetchers]\necho = echo_fetcher:fetch\n")
    (package / "echo-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: echo\nVersion: 1\n")
    (package / "echo_fetcher.py").write_text("async def fetch(uri, target, reader):\n    target.write_text(uri)\n")
    monkeypatch.syspath_prepend(package)

    async def story(stage: Stage) -> None:
        assert await stage.fetch(URI("echo://there/name", cache=True)) == ["name"]
        assert (stage.sandbox / "name").read_text() == "echo://there/name"

    play(tmp_path, story)


# Users.


@pytest.mark.skipif(os.geteuid() != 0, reason="users are switched by root only")
def test_files_belong_to_the_user_who_gets_only_what_that_user_may_read(tmp_path: Path):
    async def story(stage: Stage) -> None:
        await stage.fetch(URI("/etc/passwd"), reader=NOBODY)
        assert (stage.sandbox / "passwd").stat().st_uid == NOBODY.user
        with pytest.raises(FetchError, match="/etc/shadow cannot be copied: Permission denied"):
            await stage.fetch(URI("/etc/shadow"), reader=NOBODY)

    play(tmp_path, story)


@pytest.mark.skipif(os.geteuid() != 0, reason="users are switched by root only")
def test_the_cache_gives_no_user_what_another_one_fetched(tmp_path: Path):
    async def story(stage: Stage) -> None:
        await stage.fetch(URI("/etc/shadow", cache=True))
        with pytest.raises(FetchError, match="Permission denied"):
            await stage.fetch(URI("/etc/shadow", cache=True), reader=NOBODY)

    play(tmp_path, story)
