"""The base of every value that travels inside a message."""

from __future__ import annotations

import msgspec


class Struct(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A frozen value that is an array on the wire.

    Fields are only ever appended, each with a default: an older peer ignores what it does not know, and a newer one
    gives what an older peer did not send its default.
    """
