"""Tables and small pictures made of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

_BARS = " ▁▂▃▄▅▆▇█"


def table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: int) -> Iterator[str]:
    """Rows under a head; the last `numbers` columns are set to the right."""
    texts = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    words = len(head) - numbers
    for row in texts:
        cells = [
            cell.ljust(width) if place < words else cell.rjust(width) for place, (cell, width) in _placed(row, widths)
        ]
        yield "  ".join(cells).rstrip()


def _placed(row: list[str], widths: list[int]) -> Iterator[tuple[int, tuple[str, int]]]:
    return enumerate(zip(row, widths, strict=True))


def bars(values: Sequence[float]) -> str:
    """One character per value, as high as it is beside the greatest."""
    most = max(values, default=0) or 1
    return "".join(_BARS[0 if value <= 0 else max(1, round(value / most * 8))] for value in values)


def percentile(ordered: Sequence[float], part: float) -> float:
    """The value below which that part of sorted values lies."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
