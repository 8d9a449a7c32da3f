"""The calls LIST_FILES and READ_FILE of the operator APIs: what they ask of the disk, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.descriptor import Descriptor

from libprocess.http import HttpResponse
from libprocess.http.files import Scope, Work, group_name, guarded, list_directory, read_file, real_path, user_name
from mesos.v1.media import Media
from mesos.v1.tree import Tree

FILE_CALLS = ("LIST_FILES", "READ_FILE")


def file_work(call: Tree, media: Media, answer: Descriptor, scope: Scope, names: Mapping[str, str]) -> Work:
    """What a thread is to do for such a call, whose answer is of that kind. Only what is in the scope is shown."""
    type_: str = call["type"]
    body: Tree = call[type_.lower()]
    path = real_path(body["path"], names)

    def work() -> HttpResponse:
        found = _list(path, scope) if type_ == "LIST_FILES" else _read(path, body, scope)
        return HttpResponse(200, media.write({"type": type_, type_.lower(): found}, answer), media)

    return lambda: guarded(work)


def _list(path: str, scope: Scope) -> Tree:
    infos = [
        {
            "path": each,
            "nlink": status.st_nlink,
            "size": status.st_size,
            "mtime": {"nanoseconds": int(status.st_mtime) * 1_000_000_000},
            "mode": status.st_mode,
            "uid": user_name(status.st_uid),
            "gid": group_name(status.st_gid),
        }
        for each, status in list_directory(path, scope)
    ]
    return {"file_infos": infos} if infos else {}


def _read(path: str, body: Tree, scope: Scope) -> Tree:
    size, data = read_file(path, body["offset"], body.get("length", -1), scope)
    return {"size": size, "data": data}
