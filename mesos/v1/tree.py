"""Trees: what a body of the v1 APIs says, whichever way it was written.

A tree is a dict by Mesos' own field names. What is unset is absent, bytes are bytes, enums are their names. A tree that
was read fits its protobuf message: types are right, and what is required is there. In a tree to be written, infinity is
the text `Infinity`, since JSON has no number for it.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Tree: TypeAlias = dict[str, Any]


class Misfit(ValueError):
    """What a peer wrote does not fit; the text begins with the path to the place, `accept.offer_ids[0].value: …`."""

    def __init__(self, text: str, path: str = "") -> None:
        super().__init__(f"{path}: {text}" if path else text)
        self.text = text
        self.path = path

    def within(self, place: str) -> Misfit:
        """The same, seen from one level further out; `place` is a field's name or an index in brackets."""
        separator = "" if not self.path or self.path.startswith("[") else "."
        return Misfit(self.text, f"{place}{separator}{self.path}")


def show(value: object) -> str:
    """A value for an error's text, cut to a readable length."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
