"""What the runtime is measured by: the least that the same work costs without actors.

Local: a deque and a dispatch by type. Remote (`zs`): two processes with synchronous ZeroMQ sockets, DEALER → ROUTER
over loopback, one message per ZeroMQ message, the same codec on both ends.
"""

from __future__ import annotations

import struct
import time
from collections import deque
from types import TracebackType
from typing import Any, Self

import msgspec
import zmq

from tools.bench.mail import TaskNewsMessage
from tools.bench.side import Side

_ARRAY = 0x90  # where a message's first byte lies; orders begin with a letter
_MODE = b"m"
_CPU = b"c"


class _Receiver:
    def __init__(self) -> None:
        self.taken = 0

    def take(self, message: TaskNewsMessage) -> None:
        self.taken += 1


def local_tell(messages: int, news: TaskNewsMessage) -> float:
    """Seconds of cpu per message: put into a deque, taken out, and dispatched by type, a thousand at a time."""
    receiver = _Receiver()
    handlers: dict[type, Any] = {TaskNewsMessage: receiver.take}
    queue: deque[TaskNewsMessage] = deque()
    start = time.process_time()
    for _ in range(messages // 1000):
        for _ in range(1000):
            queue.append(news)
        while queue:
            message = queue.popleft()
            handlers[type(message)](message)
    return (time.process_time() - start) / receiver.taken


def serve() -> None:
    """The far side: take what comes, in the mode that was last asked for, and tell the cpu time used."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    print(router.bind_to_random_port("tcp://127.0.0.1"), flush=True)
    decode = msgspec.msgpack.Decoder(TaskNewsMessage).decode
    encode = msgspec.msgpack.Encoder().encode
    answers = False
    expected = 0
    while True:
        peer, body = router.recv_multipart()
        if body[0] >= _ARRAY:
            message = decode(body)
            expected -= 1
            if answers or not expected:
                router.send_multipart([peer, encode(message)])
        elif body[:1] == _MODE:
            answers, expected = struct.unpack("!?q", body[1:])
        else:
            router.send_multipart([peer, struct.pack("!d", time.process_time())])


class Zs:
    """The near side of the remote reference."""

    def __init__(self) -> None:
        self._side = Side("reference")
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._dealer = self._context.socket(zmq.DEALER)
        self._dealer.connect(f"tcp://127.0.0.1:{self._side.said}")
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(TaskNewsMessage).decode
        self._cpu()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._context.destroy(linger=0)
        self._side.end()

    def tell(self, messages: int, news: TaskNewsMessage) -> float:
        """Seconds of cpu, of both processes, per message."""
        dealer, encode = self._dealer, self._encode
        start = self._cpu()
        self._set_mode(answers=False, expected=messages)
        for _ in range(messages):
            dealer.send(encode(news))
        dealer.recv()
        return (self._cpu() - start) / messages

    def ask(self, asks: int, news: TaskNewsMessage) -> list[float]:
        """Seconds that each ask took, one after the other."""
        dealer, encode, decode = self._dealer, self._encode, self._decode
        self._set_mode(answers=True)
        took = []
        for _ in range(asks):
            start = time.perf_counter()
            dealer.send(encode(news))
            decode(dealer.recv())
            took.append(time.perf_counter() - start)
        return took

    def ask_in_flight(self, asks: int, in_flight: int, news: TaskNewsMessage) -> float:
        """Seconds of cpu, of both processes, per ask, with so many on their way at any time."""
        dealer, encode, decode = self._dealer, self._encode, self._decode
        self._set_mode(answers=True)
        start = self._cpu()
        for sent in range(asks):
            if sent >= in_flight:
                decode(dealer.recv())
            dealer.send(encode(news))
        for _ in range(in_flight):
            decode(dealer.recv())
        return (self._cpu() - start) / asks

    def _set_mode(self, answers: bool, expected: int = 0) -> None:
        """Have every message answered, or one after so many."""
        self._dealer.send(_MODE + struct.pack("!?q", answers, expected))

    def _cpu(self) -> float:
        """Seconds of cpu that both processes have used so far."""
        self._dealer.send(_CPU)
        (far,) = struct.unpack("!d", self._dealer.recv())
        return float(far) + time.process_time()
