"""Files over HTTP: `/files/browse`, `/files/read` and `/files/download`, for what lies below some directories.

Reading a disk may take long, so an actor does not do it: it hands the work to a port, which answers. What is asked for
is opened first and then looked at, so that nobody gets out of the directories by a link, be it put there in between.
"""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import stat
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from libprocess.http.exchange import HttpRequest, HttpResponse, HttpResponseMessage, Principal
from libprocess.http.routes import About
from libprocess.message import Message
from libprocess.pid import PID
from libprocess.process import Process

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

PAGE_BYTES = 64 << 10
"""The most that one read returns."""

DOWNLOAD_BYTES_MAX = 64 << 20

Work = Callable[[], HttpResponse]
Names = Callable[[], Mapping[str, str]]
"""Other names of directories."""


FILES_ATTACHED_MAX = 10_000
"""How many directories are known by their owners; the ones attached longest ago give way."""


class AttachFilesMessage(Message, frozen=True):
    """An actor → the Files of its node: what lies below this directory is somebody's."""

    path: str
    owner: str


class Scope(NamedTuple):
    """Directories, as somebody may look into them or may not. What is in none of them is not there."""

    shown: tuple[str, ...]
    hidden: tuple[str, ...] = ()


class Disk(Protocol):
    """Does what may take long, elsewhere."""

    def later(self, work: Work, asker: PID) -> None:
        """Do the work, and send the asker what it returns as an HttpResponseMessage."""


class ThreadedDisk:
    """Does it on threads of the loop that the node runs on."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def later(self, work: Work, asker: PID) -> None:
        """See Disk."""
        future = asyncio.get_running_loop().run_in_executor(None, work)
        future.add_done_callback(lambda done: self._runtime.send(asker, HttpResponseMessage(_outcome(done))))


class NoDisk:
    """The disk of who has no files to show: to find none takes no time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def later(self, work: Work, asker: PID) -> None:
        """See Disk."""
        self._runtime.send(asker, HttpResponseMessage(work()))


def _outcome(done: asyncio.Future[HttpResponse]) -> HttpResponse:
    error = done.exception()
    return HttpResponse.error(500, f"500 Internal Server Error. {error}.") if error else done.result()


PLACE = {"path": "where it is"}
ARGUMENTS = {
    "browse": PLACE,
    "read": PLACE | {"offset": "where to begin; -1 asks for the size", "length": "how much of it"},
    "download": PLACE,
}


class Files(Process):
    """Shows what lies below `roots`; where not everybody `may` see all, what lies below attached directories."""

    def __init__(
        self,
        disk: Disk,
        roots: Sequence[str],
        may: Callable[[Principal | None, str], bool] | None = None,
        names: Names = dict,
    ) -> None:
        """`may` says whether a principal may look into what belongs to an owner."""
        self._disk = disk
        self._roots = tuple(roots)
        self._may = may
        self._names = names
        self._owners: OrderedDict[str, str] = OrderedDict()

    def initialize(self) -> None:
        """The first turn."""
        for name, work in (("browse", _browse), ("read", _read), ("download", _download)):
            for path in (f"/{name}", f"/{name}.json"):
                self.route(path, partial(self._hand_over, work), about=About(ARGUMENTS[name]))
        self.route("/debug", self._debug)

    def attach_files(self, message: AttachFilesMessage) -> None:
        """See the message. Where everybody may see all, nobody asks whose anything is."""
        if self._may is not None and self.sender.address == self.pid.address:
            self._owners[message.path] = message.owner
            if len(self._owners) > FILES_ATTACHED_MAX:
                self._owners.popitem(last=False)

    def _scope(self, principal: Principal | None) -> Scope:
        may = self._may
        if may is None:
            return Scope(self._roots)
        shown = tuple(path for path, owner in self._owners.items() if may(principal, owner))
        return Scope(shown, tuple(path for path in self._owners if path not in set(shown)))

    def _debug(self, request: HttpRequest) -> HttpResponse:
        """Every directory that may be looked into, and where it is."""
        shown = self._scope(request.principal).shown
        names = {name: path for name, path in self._names().items() if self._may is None or path in shown}
        return HttpResponse.json({path: path for path in shown} | names)

    def _hand_over(
        self, work: Callable[[str, HttpRequest, Scope], HttpResponse], request: HttpRequest
    ) -> HttpResponse | None:
        if not request.argument("path"):
            return HttpResponse.error(400, "Expecting 'path=value' in query.")
        scope, path = self._scope(request.principal), real_path(request.argument("path"), self._names())
        self._disk.later(lambda: guarded(lambda: work(path, request, scope)), self.sender)
        return None


class _Refused(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def guarded(work: Work) -> HttpResponse:
    """What a piece of work answers, or why it cannot."""
    try:
        return work()
    except _Refused as refused:
        if refused.status == 403:
            return HttpResponse.forbidden(str(refused))
        return HttpResponse.error(refused.status, str(refused))
    except (OSError, ValueError, OverflowError):  # it is not there, it went away meanwhile, or nothing can be called so
        return HttpResponse.error(404)


def real_path(path: str, names: Mapping[str, str]) -> str:
    """Where a path leads that may begin with another name of a directory."""
    above = path.rstrip("/")
    while above:
        if above in names:
            return names[above] + path.removeprefix(above)
        above = above.rpartition("/")[0]
    return path


def list_directory(path: str, scope: Scope) -> list[tuple[str, os.stat_result]]:
    """The paths of what is in a directory, and what each is; OSError if it is none, or is not shown."""
    path = path.rstrip("/") or "/"
    descriptor = _open(path, scope)
    try:
        found = []
        for name in sorted(os.listdir(descriptor)):
            with suppress(FileNotFoundError):  # it was removed meanwhile
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                found.append((f"{path}/{_readable(name)}", status))
        return found
    finally:
        os.close(descriptor)


def _readable(name: str) -> str:
    """A file's name, which need not be text, as text."""
    return os.fsencode(name).decode(errors="replace")


def read_file(path: str, offset: int, length: int, scope: Scope) -> tuple[int, bytes]:
    """A file's size, and some of it: a page at most, and nothing at a negative offset."""
    descriptor = _open(path, scope)
    try:
        size = _size(descriptor)
        if offset < 0:
            return size, b""
        return size, os.pread(descriptor, PAGE_BYTES if length < 0 else min(length, PAGE_BYTES), offset)
    finally:
        os.close(descriptor)


def _browse(path: str, request: HttpRequest, scope: Scope) -> HttpResponse:
    return HttpResponse.json([_shown(path, status) for path, status in list_directory(path, scope)])


def _read(path: str, request: HttpRequest, scope: Scope) -> HttpResponse:
    offset = _number(request, "offset")
    size, data = read_file(path, offset, _number(request, "length"), scope)
    # What a reader asks first, to begin near the end, is where that is.
    return HttpResponse.json({"data": data.decode(errors="replace"), "offset": size if offset < 0 else offset})


def _download(path: str, request: HttpRequest, scope: Scope) -> HttpResponse:
    descriptor = _open(path, scope)
    try:
        if _size(descriptor) > DOWNLOAD_BYTES_MAX:
            raise _Refused(413, f"expected a file of at most {DOWNLOAD_BYTES_MAX} bytes: read it in pieces")
        data = os.pread(descriptor, DOWNLOAD_BYTES_MAX, 0)
    finally:
        os.close(descriptor)
    name = "".join(
        character if (character.isascii() and character.isalnum()) or character in "._-" else "_"
        for character in os.path.basename(path)
    )
    disposition = ("Content-Disposition", f"attachment; filename={name}")
    return HttpResponse(200, data, "application/octet-stream", (disposition,))


def _open(path: str, scope: Scope) -> int:
    """A descriptor of what is at a path below a directory that is shown; OSError or a refusal for anything else."""
    if not (scope.shown or scope.hidden):
        raise FileNotFoundError(path)
    place = os.open(path, os.O_PATH)  # to open a device may already do something
    try:
        opened = os.readlink(f"/proc/self/fd/{place}")
        if _is_below(opened, scope.hidden):
            raise _Refused(403, f"expected files that the principal may see, found {path}")
        if not _is_below(opened, scope.shown):
            raise FileNotFoundError(path)
        if stat.S_IFMT(os.fstat(place).st_mode) not in (stat.S_IFREG, stat.S_IFDIR):
            raise FileNotFoundError(path)
        return os.open(f"/proc/self/fd/{place}", os.O_RDONLY)
    finally:
        os.close(place)


def _is_below(opened: str, directories: Sequence[str]) -> bool:
    return any(opened == real or opened.startswith(f"{real}/") for real in map(os.path.realpath, directories))


def _size(descriptor: int) -> int:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError("it is no file")
    return status.st_size


def _number(request: HttpRequest, name: str) -> int:
    text = request.argument(name, "-1")
    if not text.removeprefix("-").isdecimal() or len(text) > 18:
        raise _Refused(400, f"expected {name} to be a whole number, found {text[:30]!r}")
    return int(text)


def _shown(path: str, status: os.stat_result) -> dict[str, Any]:
    return {
        "gid": group_name(status.st_gid),
        "mode": stat.filemode(status.st_mode),
        "mtime": float(int(status.st_mtime)),
        "nlink": status.st_nlink,
        "path": path,
        "size": status.st_size,
        "uid": user_name(status.st_uid),
    }


@lru_cache
def user_name(number: int) -> str:
    """A user's name; the number if there is none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


@lru_cache
def group_name(number: int) -> str:
    """A group's name; the number if there is none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
