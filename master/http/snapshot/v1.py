"""The large answers of the v1 operator API, out of a snapshot: what `master.http.trees` says, encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from libprocess.http.exchange import to_json
from master.http import trees
from master.http.snapshot.framework import FrameworkSnapshot
from master.http.snapshot.roll import joined
from master.http.snapshot.shapes import Shapes
from master.http.snapshot.snapshot import Snapshot

SHAPES = Shapes(
    trees.agent,
    trees.framework,
    {
        "tasks": lambda record, each: trees.task(each),
        "unreachable_tasks": lambda record, each: trees.task(each),
        "completed_tasks": lambda record, each: trees.task(each),
        "executors": lambda record, each: trees.executor(record, *each),
    },
)


def tasks(snapshot: Snapshot) -> Iterator[bytes]:
    """What GET_TASKS says."""
    living, ended = snapshot.living.values(), snapshot.ended.values()
    return _lists(
        tasks=_items("tasks", living),
        unreachable_tasks=_items("unreachable_tasks", chain(living, ended)),
        completed_tasks=_items("completed_tasks", chain(living, ended)),
    )


def executors(snapshot: Snapshot) -> Iterator[bytes]:
    """What GET_EXECUTORS says."""
    return _lists(executors=_items("executors", snapshot.living.values()))


def frameworks(snapshot: Snapshot) -> Iterator[bytes]:
    """What GET_FRAMEWORKS says."""
    return _lists(frameworks=_heads(snapshot.living.values()), completed_frameworks=_heads(snapshot.ended.values()))


def agents(snapshot: Snapshot) -> Iterator[bytes]:
    """What GET_AGENTS says."""
    recovered = trees.recovered_agents(snapshot.recovered.values())
    return _lists(agents=snapshot.agents.tail(), recovered_agents=(b"," + to_json(each) for each in recovered))


def state(snapshot: Snapshot) -> Iterator[bytes]:
    """What GET_STATE says."""
    return _object(
        {
            "get_tasks": tasks(snapshot),
            "get_executors": executors(snapshot),
            "get_frameworks": frameworks(snapshot),
            "get_agents": agents(snapshot),
        }
    )


ANSWERS: Mapping[str, Callable[[Snapshot], Iterator[bytes]]] = {
    "GET_STATE": state,
    "GET_TASKS": tasks,
    "GET_EXECUTORS": executors,
    "GET_FRAMEWORKS": frameworks,
    "GET_AGENTS": agents,
}


def answer(type_: str, snapshot: Snapshot) -> Iterator[bytes]:
    """The whole answer to a call."""
    yield f'{{"type":"{type_}","{type_.lower()}":'.encode()
    yield from ANSWERS[type_](snapshot)
    yield b"}"


def _items(name: str, of: Iterable[FrameworkSnapshot]) -> Iterator[bytes]:
    return chain.from_iterable(each.items(name).tail() for each in of)


def _heads(of: Iterable[FrameworkSnapshot]) -> Iterator[bytes]:
    return (b"," + each.head for each in of)


def _lists(**tails: Iterable[bytes]) -> Iterator[bytes]:
    """An object of lists, without those that are empty: outside, an empty list is not there."""
    found: dict[str, Iterable[bytes]] = {}
    for name, tail in tails.items():
        items = iter(tail)
        first = next(items, None)
        if first is not None:
            found[name] = joined(chain((first,), items))
    return _object(found)


def _object(fields: Mapping[str, Iterable[bytes]]) -> Iterator[bytes]:
    opening = "{"
    for name, parts in fields.items():
        yield f'{opening}"{name}":'.encode()
        yield from parts
        opening = ","
    yield b"{}" if opening == "{" else b"}"
