"""What the user of the tool got wrong."""

from __future__ import annotations

from libprocess.errors import OperatorError


class NoRecording(OperatorError):
    """A file that was named is none, or not one that this release reads."""


class NotInStory(OperatorError):
    """The recordings tell nothing of what was asked for."""


class BadArgument(OperatorError):
    """An argument cannot be read."""
