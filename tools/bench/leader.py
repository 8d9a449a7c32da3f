"""A master of the failover bench: it has started, and leads once it reads a line. Killed, it is a leader that died."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys

from libprocess.edge import COLLECT_AFTER, open_node, run
from libprocess.http.server import HttpServer
from libprocess.pid import PID
from master.flags import MasterFlags
from master.history.store import MemoryTaskHistory
from master.master import MASTER, new_id
from master.registrar.opening import open_store
from master.seat import Seat


async def serve(work_dir: str) -> None:
    """Say where it will be reached, wait for its election, and lead."""
    flags = MasterFlags(work_dir=work_dir, port=0)
    async with open_node(storage=work_dir) as node:
        server = HttpServer(node, root=MASTER, host=flags.ip, port=0)
        await server.start()
        print(PID(MASTER, *node.address), server.address, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        id_ = new_id(node.chance)
        seat = Seat(node, flags, server.address, id_, open_store(flags, node, id_), history=MemoryTaskHistory(node))
        seat.take()
        print(await seat.over)


if __name__ == "__main__":
    gc.set_threshold(COLLECT_AFTER)
    logging.basicConfig(level=logging.WARNING)
    run(serve(sys.argv[1]))
