"""The program behind `FarNode`: a node with a Talker, until its stdin ends."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from libprocess import open_node, run
from tests.system.far import Talker


async def main(options: dict[str, Any]) -> None:
    """Say where the Talker is, and live."""
    async with open_node(**options) as runtime:
        print(runtime.spawn(Talker(), "talker"), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    run(main(json.loads(sys.argv[1])))
