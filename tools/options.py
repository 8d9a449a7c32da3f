"""Options: command lines whose mistakes are told in one line."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn


def count(text: str) -> int:
    """Read how many: 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, found {text!r}")
    return int(text)


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser`, and so are those of its commands, that does not show all its usage to whoever mistyped."""

    is_reading = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """A word that may be missing is found after options, too, which argparse by itself does since Python 3.12."""
        if self.is_reading or self._subparsers is not None:
            return super().parse_known_args(args, namespace)
        self.is_reading = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.is_reading = False

    def error(self, message: str) -> NoReturn:
        """End the program."""
        self.exit(2, f"{self.prog}: {message}; --help says more\n")
