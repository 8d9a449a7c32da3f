"""What the user of a batch sees: a progress bar, outputs in the order of the inputs, and at the end what failed."""

from __future__ import annotations

import sys

from tqdm import tqdm

from frameworks.batch.ledger import Item, Ledger
from frameworks.batch.results import Results
from frameworks.carrier.protocol import Stream

PROGRAM = "mesos-batch"
LINES_MAX = 5


class Console:
    """The `Audience` at the terminal, or at the end of pipes. The bar shows on a terminal only."""

    def __init__(self, ledger: Ledger, results: Results, prints: bool) -> None:
        self._ledger = ledger
        self._results = results
        self._prints = prints
        self._printed = 0
        self._last_lines: dict[int, list[str]] = {}
        self._bar = tqdm(total=len(ledger.items), unit="input", file=sys.stderr, disable=None, leave=False)

    def done(self, item: Item) -> None:
        """See `Audience`."""
        self._bar.update()
        if item.is_failed:
            self._last_lines[item.index] = self._results.tail(item.index, LINES_MAX)
        if self._prints:
            self._print_done()

    def notice(self, text: str) -> None:
        """See `Audience`."""
        self._bar.write(f"{PROGRAM}: {text}", file=sys.stderr)

    def _print_done(self) -> None:
        """Print, as far as it is its turn, what there is."""
        items = self._ledger.items
        while self._printed < len(items) and items[self._printed].is_done:
            with tqdm.external_write_mode():
                self._results.copy(self._printed, Stream.STDOUT, sys.stdout.buffer)
                sys.stdout.buffer.flush()
                self._results.copy(self._printed, Stream.STDERR, sys.stderr.buffer)
                sys.stderr.buffer.flush()
            self._results.remove(self._printed)
            self._printed += 1

    def close(self, seconds: float, agents_count: int) -> None:
        """Tell what failed, and how it went as a whole."""
        self._bar.close()
        failed = [item for item in self._ledger.items if item.is_failed]
        for item in failed:
            self._tell_failure(item)
        done = sum(item.is_done for item in self._ledger.items)
        agents = f"{agents_count} agent" + "s" * (agents_count != 1)
        text = f"{done} of {len(self._ledger.items)} inputs done on {agents} in {seconds:.1f} s"
        self._say(f"{text}, {len(failed)} failed" if failed else text)

    def _tell_failure(self, item: Item) -> None:
        where = f" on {item.hostname}" if item.hostname else ""
        what = item.problem or f"exit status {item.outcome.exit_status if item.outcome else '?'}"
        self._say(f"{item.input!r} failed{where}: {what}")
        for line in self._last_lines.get(item.index, ()):
            print(f"    {line}", file=sys.stderr)

    @staticmethod
    def _say(text: str) -> None:
        print(f"{PROGRAM}: {text}", file=sys.stderr)
