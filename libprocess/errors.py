"""The operator's faults, and how a program tells them: one line, and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

EXIT_CODE = 2


class OperatorError(Exception):
    """What the operator of a program got wrong. Its text is one line: what was found, what was expected, what to do."""


@contextmanager
def told_to_the_operator(program: str) -> Iterator[None]:
    """Turn an OperatorError into `program: text` on stderr and exit code 2. Goes around a program's whole main."""
    try:
        yield
    except OperatorError as error:
        print(f"{program}: {error}", file=sys.stderr)
        raise SystemExit(EXIT_CODE) from None
