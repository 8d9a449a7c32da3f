"""Options: command lines whose mistakes are told in one line."""

from __future__ import annotations

import argparse
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser`, and so are those of its commands, that does not show all its usage to whoever mistyped."""

    def error(self, message: str) -> NoReturn:
        """End the program."""
        self.exit(2, f"{self.prog}: {message}; --help says more\n")
