"""The two ways to write a body, and which of them a client sends and takes."""

from __future__ import annotations

import re
from enum import StrEnum

from google.protobuf.descriptor import Descriptor

from libprocess.http.exchange import to_json
from mesos.v1.binary import read_binary, write_binary
from mesos.v1.jsonform import read_json
from mesos.v1.tree import Tree

_REFUSED = re.compile(r";\s*q=0(\.0*)?\s*$", re.IGNORECASE)


class Media(StrEnum):
    """How a body is written; the value is its Content-Type. Where both will do, the first one wins."""

    JSON = "application/json"
    PROTOBUF = "application/x-protobuf"

    @classmethod
    def of(cls, content_type: str) -> Media | None:
        """The media of a Content-Type, whatever its parameters; None for any other."""
        return next((media for media in cls if media == content_type.partition(";")[0].strip().lower()), None)

    @classmethod
    def accepted(cls, accept: str) -> Media | None:
        """The media to answer with for an Accept header; None if neither will do."""
        ranges = [part.partition(";")[0].strip().lower() for part in accept.split(",") if not _REFUSED.search(part)]
        if not accept.strip() or "*/*" in ranges or "application/*" in ranges:
            return cls.JSON
        return next((media for media in cls if media in ranges), None)

    def read(self, body: bytes, descriptor: Descriptor) -> Tree:
        """The tree of a body; Misfit for what does not fit the message."""
        return read_json(body, descriptor) if self is Media.JSON else read_binary(body, descriptor)

    def write(self, tree: Tree, descriptor: Descriptor) -> bytes:
        """A tree that fits the message, as a body."""
        return to_json(tree) if self is Media.JSON else write_binary(tree, descriptor)
