"""Archives, good ones and hostile ones."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.fetcher import FetchError
from agent.fetcher.archives import extract, is_archive

MEGABYTE = 1 << 20


def tar(path: Path, *members: tarfile.TarInfo, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size) if member.isreg() else None)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 1) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, 0o755
    info.size = size if kind == tarfile.REGTYPE else 0
    return info


def zipped(path: Path, name: str, mode: int = stat.S_IFREG | 0o644, content: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return path


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.tar", "w"),
        ("a.tar.gz", "w:gz"),
        ("a.tgz", "w:gz"),
        ("a.tar.bz2", "w:bz2"),
        ("a.tbz2", "w:bz2"),
        ("a.tar.xz", "w:xz"),
        ("a.txz", "w:xz"),
    ],
)
def test_tar_files_are_extracted(tmp_path: Path, name: str, mode: str):
    archive = tar(tmp_path / name, member("d/file", size=3), mode=mode)
    extract(archive, name, tmp_path / "out")
    assert (tmp_path / "out/d/file").read_bytes() == b"xxx"
    assert (tmp_path / "out/d/file").stat().st_mode & 0o100


def test_zip_files_are_extracted_with_their_rights(tmp_path: Path):
    archive = zipped(tmp_path / "a.zip", "d/tool", stat.S_IFREG | 0o755, b"tool")
    (tmp_path / "out").mkdir()
    extract(archive, "a.zip", tmp_path / "out")
    assert (tmp_path / "out/d/tool").read_bytes() == b"tool"
    assert (tmp_path / "out/d/tool").stat().st_mode & 0o777 == 0o755


def test_a_compressed_file_is_extracted_beside_itself(tmp_path: Path):
    (tmp_path / "words.txt.gz").write_bytes(gzip.compress(b"words"))
    extract(tmp_path / "words.txt.gz", "words.txt.gz", tmp_path)
    assert (tmp_path / "words.txt").read_bytes() == b"words"


@pytest.mark.parametrize(("name", "known"), [("a.tar.gz", True), ("A.ZIP", True), ("a.txt", False), ("tar", False)])
def test_archives_are_known_by_their_names(name: str, known: bool):
    assert is_archive(name) is known


HOSTILE_MEMBERS = [
    member("../escaped"),
    member("a/../../escaped"),
    member("/tmp/escaped"),
    member("link", tarfile.SYMTYPE, "/etc/passwd"),
    member("link", tarfile.SYMTYPE, "../../outside"),
    member("link", tarfile.LNKTYPE, "../outside"),
    member("null", tarfile.CHRTYPE),
    member("disk", tarfile.BLKTYPE),
    member("pipe", tarfile.FIFOTYPE),
    member("link", tarfile.SYMTYPE, "deep/../../outside"),
    member("link", tarfile.LNKTYPE, "."),
    member(".."),
]


@pytest.mark.parametrize("hostile", HOSTILE_MEMBERS, ids=lambda info: f"{info.name} {info.type!r} {info.linkname}")
def test_what_leads_outside_or_is_no_file_is_refused(tmp_path: Path, hostile: tarfile.TarInfo):
    archive = tar(tmp_path / "a.tar", hostile)
    (tmp_path / "box").mkdir()
    if hostile.name.startswith("/"):  # the leading slash is taken off, and then it is harmless
        extract(archive, "a.tar", tmp_path / "box")
        assert (tmp_path / "box" / hostile.name[1:]).exists()
        return
    with pytest.raises(FetchError, match=r"a\.tar"):
        extract(archive, "a.tar", tmp_path / "box")
    assert list((tmp_path / "box").iterdir()) == []
    assert not (tmp_path / "escaped").exists()


def test_a_link_cannot_be_written_through(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    archive = tar(tmp_path / "a.tar", member("door", tarfile.SYMTYPE, str(outside)), member("door/file"))
    (tmp_path / "box").mkdir()
    with pytest.raises(FetchError):
        extract(archive, "a.tar", tmp_path / "box")
    assert list(outside.iterdir()) == []


def test_links_do_not_lead_outside_one_through_the_other(tmp_path: Path):
    here, up = member("here", tarfile.SYMTYPE, "."), member("up", tarfile.SYMTYPE, "here/..")
    archive = tar(tmp_path / "a.tar", here, up, member("up/escaped"))
    with pytest.raises(FetchError, match=r"a\.tar holds 'up', which is refused: it is a link to 'here/\.\.'"):
        extract(archive, "a.tar", tmp_path / "box")
    assert not (tmp_path / "escaped").exists()


def test_links_within_are_fine(tmp_path: Path):
    links = (member("bin/tool", tarfile.SYMTYPE, "../lib/tool"), member("copy", tarfile.LNKTYPE, "lib/tool"))
    extract(tar(tmp_path / "a.tar", member("lib/tool", size=3), *links), "a.tar", tmp_path / "box")
    assert [(tmp_path / "box" / name).read_bytes() for name in ("bin/tool", "copy")] == [b"xxx", b"xxx"]


@pytest.mark.parametrize(
    ("name", "mode"),
    [("../escaped", stat.S_IFREG | 0o644), ("/tmp/escaped", stat.S_IFREG | 0o644), ("link", stat.S_IFLNK | 0o777)],
)
def test_zip_files_are_not_trusted_more(tmp_path: Path, name: str, mode: int):
    archive = zipped(tmp_path / "a.zip", name, mode, b"/etc/passwd")
    (tmp_path / "box").mkdir()
    with pytest.raises(FetchError, match=r"a\.zip holds .* which is refused"):
        extract(archive, "a.zip", tmp_path / "box")
    assert list((tmp_path / "box").iterdir()) == []


def bomb_tar(path: Path) -> None:
    tar(path, *(member(f"f{number}", size=MEGABYTE) for number in range(20)), mode="w:gz")


def bomb_zip(path: Path) -> None:
    zipped(path, "zeros", content=bytes(20 * MEGABYTE))


def bomb_gz(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes(20 * MEGABYTE)))


@pytest.mark.parametrize(("name", "make"), [("b.tar.gz", bomb_tar), ("b.zip", bomb_zip), ("b.gz", bomb_gz)])
def test_bombs_do_not_go_off(tmp_path: Path, name: str, make: Callable[[Path], None]):
    make(tmp_path / name)
    box = tmp_path / "box"
    box.mkdir()
    with pytest.raises(FetchError, match=f"holds more than {5 * MEGABYTE} bytes"):
        extract(tmp_path / name, name, box, bytes_max=5 * MEGABYTE)
    assert sum(path.stat().st_size for path in box.rglob("*")) <= 5 * MEGABYTE


def test_a_header_does_not_fill_the_memory(tmp_path: Path):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 1 << 30
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        file.write(header.tobuf() + bytes(20 * MEGABYTE))
    with pytest.raises(FetchError, match=f"cannot be extracted: it has a header of {1 << 30} bytes"):
        extract(tmp_path / "a.tar.gz", "a.tar.gz", tmp_path / "box")


def test_a_size_below_zero_is_refused(tmp_path: Path):
    header = bytearray(member("file", size=0).tobuf(tarfile.GNU_FORMAT))
    header[124:136] = (-512).to_bytes(12, "big", signed=True)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    (tmp_path / "a.tar").write_bytes(bytes(header) + bytes(4096))
    with pytest.raises(FetchError, match=r"a\.tar"):
        extract(tmp_path / "a.tar", "a.tar", tmp_path / "box")


def test_what_was_damaged_is_told(tmp_path: Path):
    whole = bytearray(gzip.compress(bytes(range(256)) * 1000))
    whole[100:200] = bytes(100)
    (tmp_path / "a.gz").write_bytes(whole)
    with pytest.raises(FetchError, match=r"a\.gz cannot be extracted: "):
        extract(tmp_path / "a.gz", "a.gz", tmp_path / "box")


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip", "a.gz", "a.tar.xz", "a.bz2"])
def test_what_is_no_archive_is_told(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"certainly not an archive" * 100)
    with pytest.raises(FetchError, match=f"{name} cannot be extracted: "):
        extract(tmp_path / name, name, tmp_path)
