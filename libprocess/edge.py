"""The edges: how a program gets a node, whether it has an event loop of its own or none."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import uvloop

from libprocess.errors import OperatorError
from libprocess.message import Message
from libprocess.pid import PID
from libprocess.ports import Trace
from libprocess.process import Process
from libprocess.runtime import Runtime
from libprocess.system import DiskStorage, LoopClock, ScratchStorage
from libprocess.tracing import TRACE_ID, TraceProcess, Tracing
from libprocess.zeromq import Keys, Setup, Sockets, ZeroMQ, is_loopback
from libprocess.zeromq import silence_seconds as usual_silence_seconds

T = TypeVar("T")


class InsecureNode(OperatorError, ValueError):
    """A node without keys was to be reachable from other machines, and nobody said that this is meant."""


@asynccontextmanager
async def open_node(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    advertise: str | None = None,
    keys: Keys | None = None,
    storage: str | Path | None = None,
    trace: Trace | None = None,
    silence_seconds: float | None = None,
    insecure: bool = False,
    tracing: Tracing | None = None,
) -> AsyncIterator[Runtime]:
    """A node on the running loop, for as long as the body lasts.

    It listens at `host` and `port` (0 is any free one) and is known to others by `advertise`, a host or host:port,
    where that differs. With `keys` it talks only to nodes whose keys it knows. Its actors' files are below `storage`,
    a directory; without one they are gone at the end. A peer that is silent for `silence_seconds` counts as gone;
    by default that is what LIBPROCESS_SILENCE says, or 15.

    AddressUnusable, an OSError, if it cannot listen there; InsecureNode if other machines could reach it, it has no
    keys, and `insecure` does not say that this is meant.
    """
    if keys is None and not insecure and not is_loopback(host):
        raise InsecureNode(
            f"other machines can reach {host}, and there are no keys to keep strangers out; "
            "give keys, or say insecure if the network is trusted"
        )
    loop = asyncio.get_running_loop()
    silence = usual_silence_seconds() if silence_seconds is None else silence_seconds
    network = ZeroMQ(loop, Sockets(Setup(host, port, advertise, silence, keys)))
    with closing(ScratchStorage()) as scratch:
        runtime = Runtime(
            clock=LoopClock(loop),
            network=network,
            chance=random.SystemRandom(),
            storage=scratch if storage is None else DiskStorage(storage),
            trace=trace,
        )
        tracer = TraceProcess(tracing or Tracing.from_environment(), trace)
        tracer.begin(runtime)
        runtime.spawn(tracer, TRACE_ID)
        try:
            yield runtime
        except OperatorError:  # nothing crashed
            raise
        except Exception:
            if tracer.flight is not None:
                tracer.flight.crashed()
            raise
        finally:
            runtime.close()
            tracer.close()


COLLECT_AFTER = 50_000
"""How many more objects make the garbage collector look. Mail is short-lived and has no cycles: at Python's own default
of 700 the collector goes through the mail that waits again and again, a sixth of the cost of a local message."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a program's main coroutine on uvloop, as `asyncio.run` does on asyncio's loop, and collect garbage rarely."""
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
    return _on_uvloop(main)


def _on_uvloop(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


class ThreadedNode:
    """A node for a program without an event loop: it runs on a thread of its own, and these methods wait for it.

        with ThreadedNode() as node:
            counter = node.spawn(Counter())
            print(node.ask(counter, AddMessage(1), timeout=1))

    Takes what `open_node` takes, and raises what that raises. The methods are for any thread but the node's own.
    """

    runtime: Runtime
    """The node itself, for its own thread."""

    def __init__(self, **options: Any) -> None:
        self._started: Future[None] = Future()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=lambda: _on_uvloop(self._live(options)), name="libprocess", daemon=True)
        self._thread.start()
        self._started.result()

    async def _live(self, options: dict[str, Any]) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            async with open_node(**options) as self.runtime:
                self._started.set_result(None)
                await self._ended.wait()
        except Exception as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    def spawn(self, process: Process, id: str | None = None) -> PID:
        """See `Runtime.spawn`."""

        async def spawn() -> PID:
            return self.runtime.spawn(process, id)

        return self._wait(spawn())

    def send(self, to: PID, message: Message) -> None:
        """See `Runtime.send`. Does not wait."""
        self._loop.call_soon_threadsafe(self.runtime.send, to, message)

    def ask(self, to: PID, message: Message, timeout: float) -> Message:
        """See `Runtime.ask`."""

        async def ask() -> Message:
            return await self.runtime.ask(to, message, timeout)

        return self._wait(ask())

    def terminate(self, pid: PID, drain: bool = False) -> None:
        """See `Runtime.terminate`. Does not wait."""
        self._loop.call_soon_threadsafe(self.runtime.terminate, pid, drain)

    def wait(self, pid: PID) -> str:
        """See `Runtime.wait`."""
        return self._wait(self.runtime.wait(pid))

    def close(self) -> None:
        """End every actor and the node. Fine to call twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("an actor of this node cannot wait for it: send, and handle the answer")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
