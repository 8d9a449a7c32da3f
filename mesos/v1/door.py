"""What every v1 endpoint asks of a request before it looks at the call: media, body, and what the client takes."""

from __future__ import annotations

import random
import uuid

from google.protobuf.descriptor import Descriptor

from libprocess.http import HttpRequest, HttpResponse
from mesos.v1.media import Media
from mesos.v1.tree import Misfit, Tree

STREAM_ID = "Mesos-Stream-Id"
"""The header that ties calls to the subscription they belong to."""


class Refusal(Exception):
    """A request is not served; `response` says why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.response = HttpResponse.error(status, text)


def read_body(request: HttpRequest, descriptor: Descriptor) -> tuple[Media, Tree]:
    """How a request's body is written, and its tree. Refusal for one that cannot be read."""
    content_type = request.header("Content-Type")
    if not content_type:
        raise Refusal(400, "Expecting 'Content-Type' to be present")
    media = Media.of(content_type)
    if media is None:
        raise Refusal(415, f"Expecting 'Content-Type' of {' or '.join(Media)}")
    try:
        return media, media.read(request.body, descriptor)
    except Misfit as misfit:
        raise Refusal(400, f"Failed to parse body into {descriptor.name}: {misfit}") from None


def accepted_media(request: HttpRequest) -> Media:
    """How to write what the client gets. Refusal if it takes neither way."""
    media = Media.accepted(request.header("Accept"))
    if media is None:
        raise Refusal(406, "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'")
    return media


def new_stream_id(chance: random.Random) -> str:
    """A name that no other subscription has, and that nobody guesses."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def invalid(what: str, misfit: Misfit | str) -> Refusal:
    """The refusal of a call that could be read and says nothing that could be done; `what` as in `scheduler::Call`."""
    return Refusal(400, f"Failed to validate {what}: {misfit}")
