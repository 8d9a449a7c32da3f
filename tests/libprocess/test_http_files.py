"""Files over HTTP: what lies below the roots is shown, and nothing else, whatever links say."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import libprocess.http.files
from libprocess import Runtime
from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.files import Files, ThreadedDisk
from libprocess.system import DiskStorage, LoopClock
from tests.libprocess.test_http import NoNetwork


class Library:
    """A node that shows the files of one directory."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "root"
        self.root.mkdir()
        self.outside = directory / "secret"
        self.outside.write_text("secret")
        self.loop = asyncio.Runner()
        clock, storage = LoopClock(self.loop.get_loop()), DiskStorage(directory / "storage")
        self.node = Runtime(clock=clock, network=NoNetwork(), chance=random.Random(1), storage=storage)
        self.node.spawn(Files(ThreadedDisk(self.node), [str(self.root)]), "files")

    def get(self, what: str, path: Path | str = "", **query: str) -> HttpResponse:
        arguments = (("path", str(path)), *query.items()) if path else ()
        request = HttpRequest("GET", f"/files/{what}", arguments)
        response = self.loop.run(asyncio.wait_for(self.node.routes.answer(request), 10))
        assert isinstance(response, HttpResponse)
        return response

    def read(self, path: Path, **query: str) -> Any:
        response = self.get("read", path, **query)
        assert response.status == 200
        return json.loads(response.body)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path)
    yield library
    library.node.close()
    library.loop.close()


def test_a_directory_is_listed_by_name(library: Library):
    (library.root / "stdout").write_text("hello")
    (library.root / "logs").mkdir()
    logs, stdout = json.loads(library.get("browse", library.root).body)
    assert (stdout["path"], stdout["size"], stdout["nlink"]) == (f"{library.root}/stdout", 5, 1)
    assert stdout["mode"].startswith("-rw")
    assert logs["mode"].startswith("d")
    assert set(stdout) == {"gid", "mode", "mtime", "nlink", "path", "size", "uid"}


def test_a_file_is_read_in_pieces(library: Library):
    file = library.root / "stdout"
    file.write_text("hello world")
    assert library.read(file, offset="6", length="3") == {"data": "wor", "offset": 6}
    assert library.read(file, offset="0") == {"data": "hello world", "offset": 0}
    assert library.read(file, offset="100") == {"data": "", "offset": 100}
    assert library.read(file) == {"data": "", "offset": 11}


def test_one_read_is_bounded(library: Library, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(libprocess.http.files, "PAGE_BYTES", 4)
    file = library.root / "stdout"
    file.write_text("hello world")
    assert library.read(file, offset="0", length="11")["data"] == "hell"


def test_a_file_is_downloaded_whole(library: Library, monkeypatch: pytest.MonkeyPatch):
    file = library.root / "a b"
    file.write_bytes(b"\x00\xff")
    response = library.get("download", file)
    assert (response.status, response.body, response.content_type) == (200, b"\x00\xff", "application/octet-stream")
    assert response.headers == (("Content-Disposition", "attachment; filename=a_b"),)
    monkeypatch.setattr(libprocess.http.files, "DOWNLOAD_BYTES_MAX", 1)
    assert library.get("download", file).status == 413


@pytest.mark.parametrize("what", ["browse", "read", "download", "browse.json", "read.json"])
def test_without_a_path_there_is_nothing_to_show(library: Library, what: str):
    response = library.get(what)
    assert (response.status, response.body) == (400, b"Expecting 'path=value' in query.")


@pytest.mark.parametrize("what", ["browse", "read", "download"])
@pytest.mark.parametrize("path", ["nope", "../secret", "../root/../secret", "link", "directory/secret", "fifo", "a\0b"])
def test_nothing_else_is_shown(library: Library, what: str, path: str):
    (library.root / "link").symlink_to(library.outside)
    (library.root / "directory").symlink_to(library.outside.parent)
    os.mkfifo(library.root / "fifo")
    assert library.get(what, f"{library.root}/{path}").status == 404


def test_ten_thousand_files_are_listed_whatever_their_names(library: Library):
    names = [b"new\nline", b"no \xff text", *(b"file-%04d" % number for number in range(10_000))]
    for name in names:
        open(os.fsencode(library.root) + b"/" + name, "wb").close()
    shown = [each["path"] for each in json.loads(library.get("browse", library.root).body)]
    assert len(shown) == len(names)
    assert {f"{library.root}/new\nline", f"{library.root}/no \ufffd text"} < set(shown)


def test_what_is_neither_file_nor_directory_is_not_even_opened(library: Library):
    os.mkfifo(library.root / "pipe")
    assert library.get("read", library.root / "pipe").status == 404


def test_a_link_within_is_followed(library: Library):
    (library.root / "1").mkdir()
    (library.root / "1" / "stdout").write_text("hello")
    (library.root / "latest").symlink_to("1")
    assert library.read(library.root / "latest" / "stdout", offset="0")["data"] == "hello"


def test_a_root_with_a_similar_name_is_another(library: Library):
    other = library.root.with_name("root2")
    other.mkdir()
    assert library.get("browse", other).status == 404


def test_an_offset_that_is_no_number_is_refused(library: Library):
    (library.root / "stdout").write_text("hello")
    response = library.get("read", library.root / "stdout", offset="x")
    assert (response.status, response.body) == (400, b"expected offset to be a whole number, found 'x'")


def test_the_roots_are_told(library: Library):
    assert json.loads(library.get("debug").body) == {str(library.root): str(library.root)}
