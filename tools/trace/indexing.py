"""Index: where the records of a merged recording lie, beside it, so that nobody has to read it all to find one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from libprocess.pid import Address
from libprocess.recording.tracer import VERSION
from tools.trace.scanning import Ids, Node, Rows, Source

if TYPE_CHECKING:
    from libprocess.recording.naming import Spec
    from tools.trace.story import Story

INDEX_VERSION = 1
_pack = msgspec.msgpack.encode


def index_path(path: Path) -> Path:
    """Where the index of a merged recording is."""
    return path.with_name(path.name + ".index")


def write(story: Story, path: Path) -> int:
    """Write a story as one recording, and its index beside it; returns how many records it has."""
    offset = 0
    placed = Rows()
    with path.open("wb") as file:
        for record in _header(story):
            offset += file.write(_pack(record))
        rows, sources = story.rows, [source.data for source in story.sources]
        starts = [_pack(number) for number in range(len(story.nodes))]
        for row in range(len(rows)):
            number, begin, size = rows.node[row], rows.offset[row], rows.size[row]
            piece = _renumbered(sources[rows.source[row]][begin : begin + size], starts[number])
            file.write(piece)
            placed.offset.append(offset)
            placed.size.append(len(piece))
            offset += len(piece)
    placed.source.frombytes(bytes(2 * len(rows)))
    placed.node, placed.kind, placed.begin, placed.end = rows.node, rows.kind, rows.begin, rows.end
    index_path(path).write_bytes(_pack(_index(story, placed, offset)))
    return len(rows)


def _header(story: Story) -> list[tuple[Any, ...]]:
    start = story.rows.begin[0] if len(story.rows) else 0.0
    nodes = [
        ("node", number, start, VERSION, *node.address, node.incarnation) for number, node in enumerate(story.nodes)
    ]
    skews = [("skew", number, start, node.skew) for number, node in enumerate(story.nodes)]
    return [*nodes, *skews, ("messages", 0, start, story.names)]


def _renumbered(record: bytes, number: bytes) -> bytes:
    """The same record of another number of node: what follows its kind, a short text."""
    at = 2 + (record[1] & 0x1F)
    first = record[at]
    old = 1 if first < 0x80 else {0xCC: 2, 0xCD: 3, 0xCE: 5}[first]
    return record[:at] + number + record[at + old :]


def _index(story: Story, rows: Rows, size: int) -> list[Any]:
    nodes = [(*node.address, node.incarnation, node.skew) for node in story.nodes]
    columns = [column.tobytes() for column in (*rows.columns, story.ids.bucket, story.ids.row)]
    return [INDEX_VERSION, size, nodes, story.names, story.damage, columns]


def load(source: Source) -> tuple[list[Node], dict[str, Spec], Rows, Ids, list[str]] | None:
    """What the index of a recording holds; None if it has none, or that of another."""
    try:
        version, size, nodes, names, damage, columns = msgspec.msgpack.decode(index_path(source.path).read_bytes())
    except (OSError, ValueError, TypeError):
        return None
    if version != INDEX_VERSION or size != len(source.data):
        return None
    rows, ids = Rows(), Ids()
    for column, content in zip((*rows.columns, ids.bucket, ids.row), columns, strict=True):
        column.frombytes(content)
    return [_node(*node) for node in nodes], names, rows, ids, damage


def _node(host: str, port: int, incarnation: int, skew: float) -> Node:
    node = Node(Address(host, port), incarnation)
    node.skew = skew
    return node
