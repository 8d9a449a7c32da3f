"""What the tasks wrote: kept in files as it comes in, and printed in the order of the inputs."""

from __future__ import annotations

import json
import shutil
from collections import deque
from pathlib import Path
from typing import BinaryIO

from frameworks.batch.ledger import Item
from frameworks.carrier.protocol import Stream

TAIL_BYTES = 16 * 1024
INDEX_NAME = "results.jsonl"


class Results:
    """The files of a batch: `<number>.stdout` and `<number>.stderr` for each input that wrote something, from 1 on."""

    def __init__(self, directory: Path, inputs_count: int) -> None:
        self._directory = directory
        self._digits = len(str(inputs_count))

    def path(self, index: int, stream: Stream) -> Path:
        """Where the output of an input is, if it wrote any."""
        return self._directory / f"{index + 1:0{self._digits}}.{stream.name.lower()}"

    def write(self, index: int, stream: Stream, data: bytes) -> None:
        """Add to an output."""
        with self.path(index, stream).open("ab") as file:
            file.write(data)

    def remove(self, index: int) -> None:
        """Forget the outputs of an input."""
        for stream in Stream:
            self.path(index, stream).unlink(missing_ok=True)

    def copy(self, index: int, stream: Stream, target: BinaryIO) -> None:
        """Print an output."""
        path = self.path(index, stream)
        if path.exists():
            with path.open("rb") as file:
                shutil.copyfileobj(file, target)

    def tail(self, index: int, lines_max: int) -> list[str]:
        """The last lines that an input wrote to stderr."""
        path = self.path(index, Stream.STDERR)
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - TAIL_BYTES, 0))
            lines = file.read().decode(errors="replace").splitlines()
        return list(deque(lines, lines_max))

    def write_index(self, items: list[Item]) -> None:
        """Say in one more file what became of each input, a JSON object per line."""
        with (self._directory / INDEX_NAME).open("w") as file:
            for item in items:
                file.write(json.dumps(_described(item)) + "\n")


def _described(item: Item) -> dict[str, object]:
    outcome = item.outcome
    return {
        "number": item.index + 1,
        "input": item.input,
        "agent": item.hostname,
        "exit_status": None if outcome is None else outcome.exit_status,
        "problem": item.problem,
        "losses": item.losses,
        "starting_seconds": round(item.starting_seconds, 6),
        "run_seconds": None if outcome is None else round(outcome.run_seconds, 6),
        "cpu_seconds": None if outcome is None else round(outcome.cpu_seconds, 6),
        "reporting_seconds": round(item.reporting_seconds, 6),
    }
