"""Options: command lines whose mistakes are told in one line."""

from __future__ import annotations

import argparse
from typing import NoReturn


def count(text: str) -> int:
    """Read how many: 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, found {text!r}")
    return int(text)


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser`, and so are those of its commands, that does not show all its usage to whoever mistyped."""

    def error(self, message: str) -> NoReturn:
        """End the program."""
        self.exit(2, f"{self.prog}: {message}; --help says more\n")
