"""What a scheduler and its carriers say to each other, inside tasks, statuses and framework messages."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias, TypeVar

import msgspec

from mesos.ids import TaskID
from mesos.struct import Struct
from mesos.types import CommandInfo

CHUNK_BYTES = 128 * 1024
"""What one message carries at most. A scheduler asks for the next when it has the last, so no link ever holds much."""


class Stream(IntEnum):
    """What a command writes to, by file descriptor."""

    STDOUT = 1
    STDERR = 2


class Job(Struct, frozen=True):
    """In a task's data: what to run, and where it starts if there is such a directory, else in the sandbox."""

    command: CommandInfo
    directory: str = ""


class Outcome(Struct, frozen=True):
    """In the data of a task's last status: how the command ended, and how much it wrote."""

    exit_status: int
    """As a shell tells it: 128 more than the signal that killed it, 127 if there was no such command."""
    stdout_bytes: int
    stderr_bytes: int
    run_seconds: float
    cpu_seconds: float

    def written(self, stream: Stream) -> int:
        """How many bytes it wrote there."""
        return self.stdout_bytes if stream is Stream.STDOUT else self.stderr_bytes


class Chunk(Struct, frozen=True, tag=True):
    """Carrier → scheduler: this is what the task wrote, from that byte on."""

    task_id: TaskID
    stream: Stream
    offset: int
    data: bytes


class Read(Struct, frozen=True, tag=True):
    """Scheduler → carrier: send one chunk from that byte on, as soon as there is something."""

    task_id: TaskID
    stream: Stream
    offset: int


class Forget(Struct, frozen=True, tag=True):
    """Scheduler → carrier: I have all that the task wrote."""

    task_id: TaskID


ToCarrier: TypeAlias = Read | Forget

_encoder = msgspec.msgpack.Encoder()
T = TypeVar("T")


def encode(value: Job | Outcome | Chunk | Read | Forget) -> bytes:
    """A value as the data of a message."""
    return _encoder.encode(value)


def decode(data: bytes, kind: type[T]) -> T:
    """Read what `encode` wrote; ValueError if it is something else."""
    return msgspec.msgpack.decode(data, type=kind)


def decode_order(data: bytes) -> ToCarrier:
    """Read what a scheduler wrote to a carrier; ValueError if it is something else."""
    return _orders.decode(data)


_orders: msgspec.msgpack.Decoder[ToCarrier] = msgspec.msgpack.Decoder(ToCarrier)
