"""`python -m master`: runs a master until it is told to end, or fails."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress

from libprocess.edge import run
from libprocess.endings import ending_signals
from libprocess.errors import OperatorError, told_to_the_operator
from libprocess.http.gate import Gate
from libprocess.http.server import HttpServer
from libprocess.http.tls import Tls
from libprocess.message import Message
from libprocess.pid import PID, Address
from libprocess.runtime import Runtime
from master.candidate import CANDIDATE, Candidate
from master.flags import MasterFlags
from master.history.sqlite import SqliteTaskHistory
from master.master import MASTER, describe, new_id
from master.registrar.opening import open_store
from master.seat import Seat
from mesos.access.credentials import read_credentials
from mesos.access.gate import SCHEDULER, make_gate
from mesos.detector.zookeeper import ZooKeeperContender, ZooKeeperFinder
from mesos.node import open_program

PROGRAM = "mesos-master"
FAILED = 1

log = logging.getLogger("master")


def main() -> None:
    """The program: exit code 0 when it was told to end, 1 when the master failed, 2 when the operator is at fault."""
    with told_to_the_operator(PROGRAM):
        flags = MasterFlags.load()
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=flags.logging_level)
        flags.check_reachable()
        _make_directory(flags.work_dir)
        raise SystemExit(run(serve(flags)))


async def serve(flags: MasterFlags) -> int:
    """Run a master; returns the program's exit code."""
    told_to_end = _ending()
    async with AsyncExitStack() as stack:
        node = await open_program(flags, flags.work_dir, flags.work_dir, stack)
        root, credentials = CANDIDATE if flags.zk else MASTER, _credentials(flags)
        gate, tls = _gate(flags, node, credentials), Tls.from_environment()
        server = HttpServer(node, root=root, host=flags.ip, port=flags.port, guard=gate, tls=tls)
        await server.start()
        stack.push_async_callback(server.close)
        web = Address(flags.hostname or flags.ip, server.address.port)
        pid = PID(MASTER, *node.address)
        seat = _begin(node, flags, web, pid, credentials, stack)
        print(f"{PROGRAM} is {pid}, its page is at {server.url}", flush=True)
        exit_code = await _watch(seat, told_to_end)
    if seat.refusal:
        raise OperatorError(seat.refusal)
    return exit_code


def _begin(
    node: Runtime, flags: MasterFlags, web: Address, pid: PID, credentials: dict[str, str], stack: AsyncExitStack
) -> Seat:
    """Have the master's seat taken: at once by one that stands alone, by one of several when it is elected."""
    id_ = new_id(node.chance)
    store = open_store(flags, node, id_)
    stack.callback(store.close)
    history = SqliteTaskHistory(flags.work_dir, _from_thread(node), flags.max_history_tasks, flags.history_age_seconds)
    stack.callback(history.close)
    seat = Seat(node, flags, web, id_, store, credentials, history)
    if flags.zk is None:
        seat.take()
        return seat
    contender = ZooKeeperContender(node, flags.zk, flags.zk_session_timeout_seconds)
    info = describe(flags, web, pid, id_)
    candidate = node.spawn(Candidate(flags, info, seat, contender, ZooKeeperFinder(node, flags.zk)), CANDIDATE)
    node.when_exited(candidate, seat.lose)
    return seat


def _from_thread(node: Runtime) -> Callable[[PID, Message], None]:
    """How another thread sends; nothing is sent any more when the loop has ended."""
    loop = asyncio.get_running_loop()

    def send(to: PID, message: Message) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(node.send, to, message)

    return send


def _credentials(flags: MasterFlags) -> dict[str, str]:
    """The secrets of principals."""
    known = read_credentials("credentials", flags.credentials) if flags.credentials else {}
    if (flags.authenticate_frameworks or flags.authenticate_agents) and not known and not flags.keys:
        raise OperatorError("nobody could prove who they are: give --credentials or --keys, or no --authenticate_…")
    return known


def _gate(flags: MasterFlags, node: Runtime, credentials: dict[str, str]) -> Gate:
    schedulers = {SCHEDULER: flags.authenticate_http_frameworks}
    return make_gate("master", flags, credentials, node.now, **schedulers)


async def _watch(seat: Seat, told_to_end: asyncio.Event) -> int:
    """Wait until somebody ends this program, or the master ends by itself, which is always a failure."""
    ending = asyncio.ensure_future(told_to_end.wait())
    await asyncio.wait((seat.over, ending), return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if not seat.over.done():
        log.info("told to end")
        return 0
    if not seat.refusal:
        log.critical("the master ended: %s", seat.over.result())
    return FAILED


def _ending() -> asyncio.Event:
    """Set by SIGTERM and its kind."""
    event = asyncio.Event()
    for number in ending_signals():
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    return event


def _make_directory(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise OperatorError(
            f"--work_dir: {path} cannot be made: {error.strerror}; give a directory to write to"
        ) from None


if __name__ == "__main__":
    main()
