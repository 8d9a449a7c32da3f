"""Two processes that play ping-pong.

python -m examples.ping_pong              serves, and prints its address
python -m examples.ping_pong PID [RALLIES]  plays against the one at that address
"""

from __future__ import annotations

import asyncio
import sys

from libprocess import PID, ExitedMessage, Message, Process, open_node, run


class BallMessage(Message, frozen=True):
    """From player to player, and back: how often it may still cross the net."""

    left: int


class Player(Process):
    """Returns every ball, and leaves when the other player does."""

    def __init__(self, opponent: PID | None = None, rallies: int = 0) -> None:
        self.opponent = opponent
        self.rallies = rallies

    def initialize(self) -> None:
        if self.opponent is not None:
            self.link(self.opponent)
            self.send(self.opponent, BallMessage(self.rallies))

    def ball(self, message: BallMessage) -> None:
        if self.opponent is None:
            self.opponent = self.sender
            self.link(self.sender)
        if message.left:
            self.reply(BallMessage(message.left - 1))
        else:
            self.terminate()

    def exited(self, message: ExitedMessage) -> None:
        print(f"{message.pid} is gone: {message.reason}", flush=True)
        self.terminate()


async def main(arguments: list[str]) -> None:
    opponent = PID.parse(arguments[0]) if arguments else None
    async with open_node() as node:
        player = node.spawn(Player(opponent, int(arguments[1]) if len(arguments) > 1 else 10), "player")
        print(player, flush=True)
        await asyncio.wait_for(node.wait(player), timeout=60)


if __name__ == "__main__":
    run(main(sys.argv[1:]))
