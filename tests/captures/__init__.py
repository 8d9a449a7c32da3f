"""What a real Mesos answered: status, headers and the shape of each answer, one request per line of `*.jsonl`.

Taken from Mesos 1.12 while three frameworks ran tasks and executors and others had completed, with weights, a quota, a
dynamic reservation and a persistent volume. A shape is the set of all places in the answer, each with its type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parent

# Objects whose keys are names that somebody chose.
NAMED = {
    "allocated",
    "attributes",
    "consumed",
    "flags",
    "guarantee",
    "guarantees",
    "limit",
    "limits",
    "offered",
    "offered_resources",
    "reserved",
    "reserved_resources",
    "reserved_resources_allocated",
    "reserved_resources_full",
    "resources",
    "unreserved_resources",
    "unreserved_resources_allocated",
    "used_resources",
}


def captured(name: str) -> list[dict[str, Any]]:
    """All requests to the master or the agent."""
    return [json.loads(line) for line in (DIRECTORY / f"{name}.jsonl").read_text().splitlines()]


def shape(document: Any) -> set[str]:
    """All places of a JSON document, with their types; lists that are empty say nothing."""
    return {f"{path}: {kind}" for path, kind in _places(document, "")}


def _places(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if not value:
            yield path + "{}", "object"
        is_named = path.rsplit(".", 1)[-1] in NAMED
        for key, item in value.items():
            name = "*" if is_named else key
            yield from _places(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from _places(item, path + "[]")
    else:
        yield path, {bool: "bool", int: "number", float: "number", str: "text", type(None): "null"}[type(value)]


def differences(ours: Any, theirs: Iterable[str]) -> list[str]:
    """What only one of the two has: `-` for what is missing here, `+` for what is only here."""
    mine, other = shape(ours), set(theirs)
    return [f"- {place}" for place in sorted(other - mine)] + [f"+ {place}" for place in sorted(mine - other)]
