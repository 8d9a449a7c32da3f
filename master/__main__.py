"""`python -m master`: runs a master until it is told to end, or fails."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
from contextlib import AsyncExitStack

from libprocess.edge import open_node, run
from libprocess.errors import OperatorError, told_to_the_operator
from libprocess.http.server import HttpServer
from libprocess.pid import PID, Address
from libprocess.runtime import Runtime
from master.flags import ACTOR_PORT_OFFSET, MasterFlags
from master.master import MASTER, Master

PROGRAM = "mesos-master"
FAILED = 1

log = logging.getLogger("master")


def main() -> None:
    """The program: exit code 0 when it was told to end, 1 when the master failed, 2 when the operator is at fault."""
    with told_to_the_operator(PROGRAM):
        flags = MasterFlags.load()
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=flags.logging_level)
        _check_reachable(flags)
        _make_directory(flags.work_dir)
        raise SystemExit(run(serve(flags)))


async def serve(flags: MasterFlags) -> int:
    """Run a master; returns the program's exit code."""
    told_to_end = _ending()
    async with AsyncExitStack() as stack:
        node = await _open(flags, stack)
        server = HttpServer(node, root=MASTER, host=flags.ip, port=flags.port)
        await server.start()
        stack.push_async_callback(server.close)
        web = Address(flags.hostname or flags.ip, server.address.port)
        pid = node.spawn(Master(flags, web), MASTER)
        print(f"{PROGRAM} is {pid}, its page is at http://{server.address}", flush=True)
        return await _watch(node, pid, told_to_end)


async def _open(flags: MasterFlags, stack: AsyncExitStack) -> Runtime:
    node = open_node(
        host=flags.ip,
        port=flags.chosen_actor_port,
        advertise=flags.advertise_ip,
        storage=flags.work_dir,
        insecure=flags.insecure,
    )
    try:
        return await stack.enter_async_context(node)
    except OSError as error:
        raise OperatorError(f"--actor_port ({ACTOR_PORT_OFFSET} above --port unless given): {error}") from None


async def _watch(node: Runtime, pid: PID, told_to_end: asyncio.Event) -> int:
    """Wait until somebody ends this program, or the master ends by itself, which is always a failure."""
    exited = asyncio.ensure_future(node.wait(pid))
    ending = asyncio.ensure_future(told_to_end.wait())
    await asyncio.wait((exited, ending), return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if not exited.done():
        exited.cancel()
        return 0
    log.critical("the master ended: %s", exited.result())
    return FAILED


def _ending() -> asyncio.Event:
    """Set by SIGTERM and Ctrl-C."""
    event = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    return event


def _check_reachable(flags: MasterFlags) -> None:
    """A PID with the address that means "every address" leads nowhere."""
    if ipaddress.ip_address(flags.ip).is_unspecified and flags.advertise_ip is None:
        raise OperatorError(f"--ip={flags.ip} is no address that others can reach; give one with --advertise_ip")


def _make_directory(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise OperatorError(
            f"--work_dir: {path} cannot be made: {error.strerror}; give a directory to write to"
        ) from None


if __name__ == "__main__":
    main()
