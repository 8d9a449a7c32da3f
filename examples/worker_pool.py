"""A pool of workers that outlives their mistakes: `python -m examples.worker_pool`."""

from __future__ import annotations

from libprocess import Message, Process, ThreadedNode
from libprocess.supervisor import Supervisor


class DivideMessage(Message, frozen=True):
    """To a pool, and on to one of its workers: divide, and answer with a QuotientMessage."""

    dividend: int
    divisor: int


class QuotientMessage(Message, frozen=True):
    """From a worker to whoever asked."""

    value: float


class Worker(Process):
    """Does one thing, and does not defend itself: when it fails, it fails alone, and is started again."""

    def divide(self, message: DivideMessage) -> None:
        self.reply(QuotientMessage(message.dividend / message.divisor))


class Pool(Supervisor):
    """Hands each job to the next worker, which answers whoever asked."""

    def initialize(self) -> None:
        super().initialize()
        self.jobs = 0

    def divide(self, message: DivideMessage) -> None:
        self.forward(self.children[self.jobs % len(self.children)])
        self.jobs += 1


def main() -> None:
    with ThreadedNode() as node:
        pool = Pool([Worker, Worker])
        pid = node.spawn(pool)
        for divisor in (1, 2, 0, 4, 5):
            try:
                print(node.ask(pid, DivideMessage(100, divisor), timeout=0.2))
            except TimeoutError as error:
                print(f"100 / {divisor}: {error}")
        print(f"{len(pool.children)} workers, {pool.restarts} started again")


if __name__ == "__main__":
    main()
