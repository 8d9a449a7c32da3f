"""The messages between a tool and a node's trace actor."""

from __future__ import annotations

from libprocess.message import Message


class TapMessage(Message, frozen=True):
    """From a tool to a node: send me what happens from now on.

    Patterns are as the shell's; an empty one means all. `actor` fits an id, or with an @ a whole PID, of either end.
    """

    kind: str = ""
    """The message's type."""
    actor: str = ""


class TappedMessage(Message, frozen=True):
    """From a node to a tool that tapped it: some records, encoded as in a recording."""

    records: bytes
    left_out: int = 0
    """How much mail of the node was left out before these, since the tool did not keep up: wanted or not."""


class TapReadMessage(Message, frozen=True):
    """From a tool to a node: I have read one more TappedMessage."""


class UntapMessage(Message, frozen=True):
    """From a tool to a node: no more."""


class RecordNodeMessage(Message, frozen=True):
    """From a tool to a node: record what happens from now on to a file of yours, of so many bytes at most."""

    limit_bytes: int


class EndRecordingMessage(Message, frozen=True):
    """From a tool to a node: end the recording."""


class DumpFlightMessage(Message, frozen=True):
    """From a tool to a node: write what the flight recorder holds to a file."""


class RecordingMessage(Message, frozen=True):
    """From a node to a tool: the recording that was begun, ended, or dumped."""

    path: str
    """On the node's machine."""
    size_bytes: int


class ReadRecordingMessage(Message, frozen=True):
    """From a tool to a node: send me a piece of the recording that you told me of."""

    path: str
    offset: int


class RecordingPieceMessage(Message, frozen=True):
    """From a node to a tool: that piece; an empty one is the end."""

    content: bytes


class InterfereMessage(Message, frozen=True):
    """From a tool to a node that may be broken: do this to the mail that your actors are about to get."""

    verb: str
    """expect, drop, hold, delay or duplicate."""
    kind: str = ""
    to: str = ""
    sender: str = ""
    field: str = ""
    """Only where a field of the message has this value: `task_id==t7`."""
    seconds: float = 0.0
    """Of a delay."""


class CutLinkMessage(Message, frozen=True):
    """From a tool to a node that may be broken: let nothing through from or to a node, host:port."""

    address: str


class HealLinksMessage(Message, frozen=True):
    """From a tool to a node that may be broken: end all cuts."""


class ReleaseMailMessage(Message, frozen=True):
    """From a tool to a node: end a filter; what it holds goes on, or is lost."""

    number: int
    """0 is all."""
    is_lost: bool = False


class AskInterferencesMessage(Message, frozen=True):
    """From a tool to a node: what is broken?"""


class InterferencesMessage(Message, frozen=True):
    """From a node to a tool: what is broken now."""

    interferences: tuple[str, ...]
    """A line for each, with its number."""


class TraceDeniedMessage(Message, frozen=True):
    """From a node to a tool: what was asked for is not done, and why."""

    reason: str
