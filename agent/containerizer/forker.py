"""The agent's end of the forker: asks it for containers, and learns when they end."""

from __future__ import annotations

import asyncio
import logging
import marshal
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgspec

import agent
from agent.containerizer.reports import is_known, lives, read_trace
from agent.forker.init import KILL_ALL
from agent.forker.main import LENGTH
from agent.forker.plan import Plan

log = logging.getLogger("agent.containerizer")

_ROOT = str(Path(agent.__path__[0]).parent)
_BOOT = f"import sys; sys.path.insert(0, {_ROOT!r}); from agent.forker.main import main; main()"
"""No site packages, no user's settings: what is not loaded is not forked."""

INIT_KILL_SECONDS = 5.0
"""An init that is told to kill its container has so long before it is killed itself."""


FORKERS_MAX = 3
"""A container that is just asked for when so many forkers die, one after the other, is given up."""


class ForkError(Exception):
    """A container could not be forked; the text says why."""


class ForkerDiedError(ForkError):
    """The forker died, and did not say what became of what was asked of it."""

    def __init__(self, forker: subprocess.Popen[bytes]) -> None:
        super().__init__("the forker died")
        self.forker = forker


class Init:
    """The init of one container."""

    def __init__(self, process_id: int) -> None:
        self.process_id = process_id
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._descriptor = _open(process_id)

    def signal(self, number: int) -> None:
        """Have every process of the container sent a signal."""
        if self._descriptor >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """End the container at once."""
        self.signal(KILL_ALL)
        asyncio.get_running_loop().call_later(INIT_KILL_SECONDS, self.signal, signal.SIGKILL)

    def close(self) -> None:
        """The init has ended."""
        if not self.ended.done():
            self.ended.set_result(None)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def watch(self) -> None:
        """Notice the end without the forker's help."""
        if self._descriptor >= 0:
            asyncio.get_running_loop().add_reader(self._descriptor, self._notice)
        else:
            self.close()

    def _notice(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        self.close()


def _adopted(status_path: str) -> Init | None:
    """The init that left a trace there; None if it has ended."""
    trace = read_trace(status_path)
    if trace is None or not lives(trace):
        return None
    init = Init(trace["init"])
    init.watch()
    return init


def _open(process_id: int) -> int:
    """A descriptor that stands for a process even when another one takes its number; -1 if it is gone."""
    try:
        return os.pidfd_open(process_id)
    except ProcessLookupError:
        return -1


class ForkerClient(asyncio.Protocol):
    """Starts the forker when it is first needed, and again should it die."""

    def __init__(self, runtime_dir: str) -> None:
        """`runtime_dir` is on its command line, and so on those of its inits, see `agent.containerizer.strays`."""
        self._runtime_dir = runtime_dir
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._starting = asyncio.Lock()
        self._is_closing = False
        self._incoming = bytearray()
        self._asked: dict[str, asyncio.Future[Init | None]] = {}
        self._inits: dict[str, Init] = {}

    async def fork(self, plan: Plan) -> Init | None:
        """Start a container, and wait until its command runs; None if its init ended before, and left a report.

        ForkError says why there could not be an init.
        """
        for attempt in range(FORKERS_MAX):
            try:
                return await self._ask(plan)
            except ForkerDiedError as error:
                if "visits" in plan or attempt == FORKERS_MAX - 1:
                    raise
                await asyncio.to_thread(error.forker.wait)  # with it died every init that had left no trace yet
            if is_known(plan["status_path"]):
                return _adopted(plan["status_path"])
        raise AssertionError("unreachable")

    async def _ask(self, plan: Plan) -> Init | None:
        async with self._starting:
            if self._transport is None:
                await self._start()
        assert self._transport is not None
        answer: asyncio.Future[Init | None] = asyncio.get_running_loop().create_future()
        self._asked[plan["id"]] = answer
        if plan.get("leaves_trace"):
            # Who takes up a container again needs its plan; one that ends with the forker is only looked for.
            needed = Plan() if plan.get("ends_with_forker") else plan
            plan = plan | Plan(trace=msgspec.json.encode(needed).decode())
        frame = marshal.dumps(cast(dict[str, Any], plan))
        self._transport.write(LENGTH.pack(len(frame)) + frame)
        return await answer

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = [sys.executable, "-I", "-S", "-c", _BOOT, str(theirs.fileno()), self._runtime_dir]
            self._process = subprocess.Popen(arguments, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL)
        await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._incoming += data
        while len(self._incoming) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._incoming)[0]
            if len(self._incoming) < end:
                return
            self._learn(marshal.loads(self._incoming[LENGTH.size : end]))
            del self._incoming[:end]

    def _learn(self, news: dict[str, Any]) -> None:
        id_ = news["id"]
        if "init" in news:
            init = self._inits[id_] = Init(news["init"])
            answer = self._asked.pop(id_)
            if answer.cancelled():  # nobody wants it any more
                init.kill()
            else:
                answer.set_result(init)
        elif id_ not in self._asked:
            self._inits.pop(id_).close()
        elif not (answer := self._asked.pop(id_)).cancelled():
            if "error" in news:
                answer.set_exception(ForkError(news["error"]))
            else:
                answer.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """See `asyncio.Protocol`. The containers that end with the forker are ending; the others are left alone."""
        self._transport = None
        self._incoming.clear()
        assert self._process is not None
        for answer in self._asked.values():
            if not answer.cancelled():
                answer.set_exception(ForkerDiedError(self._process))
        self._asked.clear()
        for init in self._inits.values():
            init.watch()
        self._inits.clear()
        if not self._is_closing:
            log.warning("the forker has ended")
            asyncio.get_running_loop().run_in_executor(None, self._process.wait)  # or it is a zombie until the next one

    async def close(self, is_needed: bool = False) -> None:
        """End the forker, and with it the containers that are to end with it. If others go on, it stays with them."""
        self._is_closing = True
        if self._transport is not None:
            self._transport.close()
        if self._process is not None and not is_needed:
            await asyncio.to_thread(self._process.wait)
