"""What an agent must remember of its resources: what was reserved, which volumes were made, and by which operations.

All of it is one value on disk, replaced as a whole: an operation is applied and remembered, or it is neither.
"""

from __future__ import annotations

import msgspec

from libprocess.timers import Timer
from mesos.conversions import conversion, is_volume, must_last, with_lasting
from mesos.resources import Kind, Resources
from mesos.struct import Struct
from mesos.types import Operation, OperationReport

PATH = "resources/lasting"
"""Where it is in the agent's storage."""


class Memory(Struct, frozen=True):
    """What is on disk."""

    resources: Resources = Resources()
    operations: tuple[OperationReport, ...] = ()


_decoder = msgspec.msgpack.Decoder(Memory)


class Lasting:
    """What an agent has in all, and the operations of which nobody has acknowledged the end."""

    def __init__(self, given: Resources, memory: bytes | None) -> None:
        """`given` is what the operator says, `memory` what `encode` made of the agent's last life, if it had one.

        ValueError says what is wrong: the operator gives less than what was reserved, or the memory cannot be read.
        """
        try:
            known = Memory() if memory is None else _decoder.decode(memory)
        except msgspec.MsgspecError as error:
            raise ValueError(f"expected what an agent remembers of its resources in {PATH}: {error}") from None
        self.total = with_lasting(given, known.resources)
        """All that it has, with its reservations and volumes."""
        self.operations = {report.uuid: report for report in known.operations}
        """Those whose end is not acknowledged, by what the master calls them."""
        self.retries: dict[bytes, tuple[Timer, float]] = {}
        """When an unacknowledged end is told again, and after how many seconds."""

    @property
    def resources(self) -> Resources:
        """What it must remember."""
        return must_last(self.total)

    def volumes(self) -> list[Kind]:
        """Every persistent volume there is."""
        return [kind for kind, _ in self.total.items if is_volume(kind)]

    def converted(self, operation: Operation) -> tuple[Resources, Resources]:
        """What an operation takes and makes; ValueError says why it cannot be applied here."""
        before, after = conversion(operation)
        if not self.total.contains(before):
            raise ValueError(f"expected the agent to have {before}, found {self.total}")
        return before, after

    def given(self, given: Resources) -> Resources:
        """What it would have in all if the operator gave that. ValueError if it is less than what was reserved."""
        return with_lasting(given, self.resources)

    def apply(self, before: Resources, after: Resources) -> None:
        """Something became something else."""
        self.total = self.total - before + after

    def encode(self) -> bytes:
        """What goes to disk."""
        return msgspec.msgpack.encode(Memory(self.resources, tuple(self.operations.values())))
