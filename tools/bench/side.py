"""The far side of a benchmark between two processes: started, spoken to, and ended here.

Run by itself it is that far side: `python -m tools.bench.side`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading


class Side:
    """A process of its own, on the same core, whose first line of output says where it is reached."""

    def __init__(self, kind: str, *arguments: str) -> None:
        """`kind` is `node` or `reference`."""
        command = [sys.executable, "-m", __name__, kind, *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().strip()

    def end(self) -> None:
        """Kill it and wait until it is gone."""
        self.process.kill()
        self.process.communicate()


async def _node(silence_seconds: float) -> None:
    from libprocess import open_node
    from tools.bench.mail import Sink

    async with open_node(silence_seconds=silence_seconds) as runtime:
        print(runtime.spawn(Sink(), "sink"), flush=True)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Be the far side that the command line names, until killed or until whoever started it ends."""
    if sys.argv[1] == "node":
        from libprocess import run

        run(_node(float(sys.argv[2])))
    else:
        from tools.bench import reference

        threading.Thread(target=_end_with_stdin, daemon=True).start()
        reference.serve()


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
