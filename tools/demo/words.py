"""The work of the demonstration: which files, what is done with each, and what it comes to."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from libprocess.errors import OperatorError

PATTERNS = ("share/common-licenses/*", "share/doc/*/copyright", "share/perl/*/**/*.pm", "lib/python3*/*.py")
FILES_MIN = 100
FILES_MAX = 240
SIZE_BYTES_MAX = 1 << 20

COUNT = "LC_ALL=C tr -cs A-Za-z '\\n' < {} | LC_ALL=C tr A-Z a-z | LC_ALL=C sort | uniq -c"
"""For each file: the words in it, and how often."""


def find_texts(root: Path = Path("/usr")) -> list[Path]:
    """Real text files of this machine, always the same; OperatorError if there are too few."""
    found = (path.resolve() for pattern in PATTERNS for path in sorted(root.glob(pattern)))
    texts = [path for path in dict.fromkeys(found) if path.is_file() and 0 < path.stat().st_size < SIZE_BYTES_MAX]
    if len(texts) < FILES_MIN:
        raise OperatorError(f"expected {FILES_MIN} text files below {root}, as on any Debian, found {len(texts)}")
    return texts[:FILES_MAX]


def count_here(texts: Iterable[Path]) -> Counter[str]:
    """Count the words with no cluster, one file after another."""
    total: Counter[str] = Counter()
    for text in texts:
        with text.open("rb") as file:
            line = COUNT.replace("< {}", "")
            total += read_counts(subprocess.run(line, shell=True, stdin=file, capture_output=True, check=True).stdout)
    return total


def read_counts(output: bytes) -> Counter[str]:
    """Read what COUNT prints."""
    counts: Counter[str] = Counter()
    for line in output.decode().splitlines():
        number, _, word = line.strip().partition(" ")
        if word:
            counts[word] += int(number)
    return counts
