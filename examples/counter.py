"""An actor that counts, and a program that asks it: `python -m examples.counter`."""

from __future__ import annotations

from libprocess import Message, Process, open_node, run


class AddMessage(Message, frozen=True):
    """To a counter: add so much, and say what it makes."""

    amount: int


class SumMessage(Message, frozen=True):
    """From a counter, on an AddMessage: the sum so far."""

    value: int


class Counter(Process):
    """Its state is its own: nobody else reads or writes it, so there is nothing to lock."""

    def initialize(self) -> None:
        self.value = 0

    def add(self, message: AddMessage) -> None:
        self.value += message.amount
        self.reply(SumMessage(self.value))


async def main() -> None:
    async with open_node() as node:
        counter = node.spawn(Counter(), "counter")
        for amount in (1, 10, 100):
            answer = await node.ask(counter, AddMessage(amount), timeout=1)
            print(answer)


if __name__ == "__main__":
    run(main())
