"""Large bodies in pieces: sent as they are, or compressed once for all who ask."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

import libprocess.http.server
from libprocess import Process
from libprocess.http import HttpResponse
from libprocess.http.exchange import PIECES_BYTES_MIN
from libprocess.http.gzipping import Gzipper
from libprocess.http.pieces import PART_BYTES, Packer, Pieces
from tests.libprocess.test_http import World, served

PARTS = [b"[", *(b'"%d",' % number * 10_000 for number in range(100)), b"0]"]
WHOLE = b"".join(PARTS)


class Teller(Process):
    """Has a lot to tell."""

    def initialize(self) -> None:
        self.route("/all", lambda request: HttpResponse.json_of(Pieces(PARTS, "all", 'W/"1"')))
        self.route("/huge", lambda request: HttpResponse.json_of(Pieces(PARTS * 20, "huge", 'W/"1"')))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.runtime.spawn(Teller(), "teller")
    yield world
    world.close()


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_a_large_body_arrives_whole(world: World, accepted: str):
    async def talk(client: aiohttp.ClientSession) -> None:
        async with client.get("/teller/all", headers={"Accept-Encoding": accepted}) as response:
            body = await response.read()
            assert (response.status, response.headers["ETag"]) == (200, 'W/"1"')
            assert int(response.headers["Content-Length"]) == len(body)
            assert (gzip.decompress(body) if accepted == "gzip" else body) == WHOLE
        async with client.get("/teller/all", headers={"If-None-Match": 'W/"1"'}) as response:
            assert (response.status, await response.read()) == (304, b"")
        async with client.head("/teller/all", headers={"Accept-Encoding": accepted}) as response:
            assert int(response.headers["Content-Length"]) == len(body)

    served(world, talk)


def test_a_small_body_is_one():
    response = HttpResponse.json_of(Pieces([b"[", b"1", b"]"], "few", 'W/"1"'))
    assert (response.body, response.pieces) == (b"[1]", None)
    assert HttpResponse.json_of(Pieces([b"x" * PIECES_BYTES_MIN], "many", 'W/"1"')).pieces is not None


def test_small_parts_are_put_together_and_large_ones_are_not_copied():
    large = b"x" * PART_BYTES
    pieces = Pieces([*[b"x"] * (3 * PART_BYTES), b"y", large, large, b"z"], "all", "")
    assert [len(part) for part in pieces.parts] == [*[PART_BYTES] * 3, 1, PART_BYTES, PART_BYTES, 1]
    assert pieces.parts[4] is large


def test_a_client_that_takes_no_more_of_a_large_body_is_left(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(libprocess.http.server, "STALL_SECONDS", 0.05)

    async def talk(client: aiohttp.ClientSession) -> None:
        async with client.get("/teller/huge", headers={"Accept-Encoding": "identity"}) as response:
            while not world.runtime.metrics.snapshot().get("http/streams_dropped"):
                await asyncio.sleep(0)
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()

    served(world, talk)


def test_of_a_series_one_is_compressed_at_a_time_and_the_newest_for_all_who_came_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
):
    packed: list[bytes] = []
    goes_on = threading.Event()

    def pack(self: Gzipper, parts: list[bytes]) -> list[bytes]:
        packed.append(b"".join(parts))
        goes_on.wait(20)
        return parts

    monkeypatch.setattr(Gzipper, "gzip", pack)

    async def run() -> list[bytes]:
        packer = Packer()
        asked = [asyncio.ensure_future(packer.packed(Pieces([b"%d" % n], "state", str(n)))) for n in range(5)]
        while not packed:
            await asyncio.sleep(0)
        asked += [asyncio.ensure_future(packer.packed(Pieces([b"%d" % n], "state", str(n)))) for n in (5, 5, 6)]
        await asyncio.sleep(0)
        goes_on.set()
        got = [(await each).whole() for each in asked]
        again = await packer.packed(Pieces([b"6"], "state", "6"))
        packer.close()
        return [*got, again.whole()]

    assert asyncio.run(run()) == [b"0"] + [b"6"] * 8
    assert packed == [b"0", b"6"]


@given(st.lists(st.lists(st.integers(0, 9), max_size=30), min_size=1, max_size=5))
def test_parts_that_were_compressed_before_are_as_good_as_new(bodies: list[list[int]]):
    known = [bytes([number]) * number * 1000 + b"end" for number in range(10)]
    gzipper = Gzipper()
    for body in bodies:
        parts = [known[number] for number in body]
        assert gzip.decompress(b"".join(gzipper.gzip(parts))) == b"".join(parts)
