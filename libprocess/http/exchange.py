"""What goes through a node's HTTP door: requests, responses, and the mail that carries them to actors and back."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import parse_qsl

import msgspec

from libprocess.http.pieces import Pieces
from libprocess.message import Message
from libprocess.pid import PID

Pairs = tuple[tuple[str, str], ...]

TEXT_TYPE = "text/plain; charset=utf-8"
JSON_TYPE = "application/json"
PIECES_BYTES_MIN = 256 << 10
"""What is smaller is sent as one."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class Principal(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who sent a request, as it was proved: its name, and what else its token claims."""

    value: str = ""
    claims: Pairs = ()

    def claim(self, name: str) -> str | None:
        """What the token says under that name."""
        return dict(self.claims).get(name)


class HttpRequest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A request, its body read in full. Header names are in lower case; path and query are decoded."""

    method: str
    path: str
    query: Pairs = ()
    headers: Pairs = ()
    body: bytes = b""
    below: str = ""
    """What stands in the place of the `*` that its route ends in."""
    principal: Principal | None = None
    """Who sent it; None where nobody was asked to prove that."""

    def argument(self, name: str, default: str = "") -> str:
        """The first value that the query gives a name."""
        return next((value for key, value in self.query if key == name), default)

    def form(self, name: str, default: str = "") -> str:
        """The first value that the body, a form, gives a name."""
        fields = parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True)
        return next((value for key, value in fields if key == name), default)

    def header(self, name: str, default: str = "") -> str:
        """The first value of a header."""
        return next((value for key, value in self.headers if key == name.lower()), default)

    def has(self, tag: str) -> bool:
        """Whether the client says that it has the body with this ETag already."""
        return tag in self.header("If-None-Match")


class HttpResponse(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A response."""

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: Pairs = ()
    stream: PID | None = None
    """The HttpStream that the body comes from."""
    pieces: Pieces | None = None
    """The body, if it is a large one."""

    @classmethod
    def streamed(cls, stream: PID, content_type: str, headers: Pairs = ()) -> Self:
        """A body that goes on: what the HttpStream of that PID is sent, and until it ends."""
        return cls(200, b"", content_type, headers, stream)

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Self:
        """A value as JSON; see `to_json`."""
        return cls(status, to_json(value), JSON_TYPE)

    @classmethod
    def json_of(cls, pieces: Pieces) -> Self:
        """JSON that is encoded already."""
        headers = (("ETag", pieces.tag),)
        if pieces.size < PIECES_BYTES_MIN:
            return cls(200, pieces.whole(), JSON_TYPE, headers)
        return cls(200, b"", JSON_TYPE, headers, pieces=pieces)

    @classmethod
    def not_modified(cls, tag: str) -> Self:
        """The client has it already."""
        return cls(304, headers=(("ETag", tag),))

    @classmethod
    def text(cls, text: str, status: int = 200) -> Self:
        """Plain text."""
        return cls(status, text.encode(), TEXT_TYPE)

    @classmethod
    def error(cls, status: int, text: str = "", headers: Pairs = ()) -> Self:
        """A refusal, in plain text as Mesos has it; without a text it is the status' own name."""
        return cls(status, (text or f"{status} {HTTPStatus(status).phrase}.").encode(), TEXT_TYPE, headers)

    @classmethod
    def forbidden(cls, why: str) -> Self:
        """A refusal because of who asks."""
        return cls.json({"error": why}, 403)

    @classmethod
    def redirect(cls, location: str) -> Self:
        """Ask again there, with the same method and body."""
        return cls(307, headers=(("Location", location),))


class HttpRequestMessage(Message, frozen=True):
    """From a node's HTTP door to the actor of that node that has the route, for every request."""

    request: HttpRequest
    route: str


class HttpResponseMessage(Message, frozen=True):
    """From an actor back to the door, once for every HttpRequestMessage: at once, or whenever it knows the answer."""

    response: HttpResponse


def to_json(value: Any) -> bytes:
    """A value (structs included) as JSON: one line, and ASCII, since some clients read nothing else."""
    body = msgspec.json.encode(value)
    return body if body.isascii() else _NOT_ASCII.sub(_escape, body.decode()).encode()


def _escape(character: re.Match[str]) -> str:
    """A character as JSON escapes it: in UTF-16, so beyond the first plane it takes two."""
    code = ord(character[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code - 0x10000 & 0x3FF):04x}"
