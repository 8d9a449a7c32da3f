"""Patterns: the regular expressions of frameworks, by RE2.

They come from outside, and every agent is matched with them by the one actor that allocates: RE2 takes time in
proportion to the text, whatever the pattern, and its limits keep a pattern from taking much memory. It has no back
references and does not look around; otherwise what it reads is what Python's `re` reads.
"""

from __future__ import annotations

from functools import lru_cache

import re2

MEMORY_BYTES_MAX = 4096
PROGRAM_SIZE_MAX = 100
"""How many steps a pattern may be compiled to; both limits are those that Mesos has by default."""

KNOWN_MAX = 10_000


class Pattern:
    """A pattern that was compiled. ValueError, in one line, if it cannot be or is too large."""

    def __init__(self, text: str) -> None:
        options = re2.Options()
        options.max_mem, options.log_errors = MEMORY_BYTES_MAX, False
        try:
            self._compiled = re2.compile(text, options)
        except re2.error as error:
            (why,) = error.args
            why = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
            raise ValueError(f"expected a regular expression that RE2 takes, found {_shown(text)}: {why}") from None
        size = self._compiled.programsize
        if size > PROGRAM_SIZE_MAX:
            raise ValueError(
                f"expected a regular expression of at most {PROGRAM_SIZE_MAX} steps, found {_shown(text)}, of {size}"
            )

    def matches(self, text: str) -> bool:
        """Whether the whole of a text matches."""
        return self._compiled.fullmatch(text) is not None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}…")


@lru_cache(KNOWN_MAX)
def pattern(text: str) -> Pattern:
    """The pattern of that text, compiled once. ValueError as from `Pattern`."""
    return Pattern(text)


def check_pattern(text: str) -> str | None:
    """Whether it can be compiled, and is not too large."""
    try:
        pattern(text)
    except ValueError as error:
        return str(error)
    return None
