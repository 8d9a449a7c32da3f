"""Access control lists, as Mesos' users write them.

    {"permissive": false,
     "register_frameworks": [{"principals": {"values": ["ads"]}, "roles": {"values": ["ads", "ads/%"]}}]}

For each action there is a list; the first entry that speaks of both who asks and what is asked for decides. If none
does, `permissive` decides. The value `a/%` of a role stands for all roles below `a`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from mesos.access.actions import OBJECTS, ROLES, WITHOUT_VALUES

BELOW = "/%"

Need: TypeAlias = tuple[str, str | None]
"""What somebody must be allowed: an action, and with what."""


class Kind(Enum):
    """How an entity is meant."""

    SOME = "SOME"
    ANY = "ANY"
    NONE = "NONE"


@dataclass(frozen=True)
class Entity:
    """Who, or what, an entry speaks of."""

    kind: Kind
    values: frozenset[str] = frozenset()

    def speaks_of(self, asked: str | None) -> bool:
        """Whether it has something to say of that one; None stands for whoever it is."""
        return self.kind is not Kind.SOME or (asked is not None and self._holds(asked))

    def allows(self, asked: str | None) -> bool:
        """Whether it lets that one."""
        return self.kind is Kind.ANY or (self.kind is Kind.SOME and asked is not None and self._holds(asked))

    def _holds(self, asked: str) -> bool:
        return asked in self.values or any(
            value.endswith(BELOW) and asked.startswith(value.removesuffix("%")) for value in self.values
        )


@dataclass(frozen=True)
class Entry:
    """One line of a list: these principals may do it with these objects."""

    principals: Entity
    objects: Entity


@dataclass(frozen=True)
class Acls:
    """All lists. Without any, everybody may do everything."""

    lists: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    permissive: bool = True
    text: str = ""
    """What it was read from."""

    def allow(self, principal: str | None, action: str, asked: str | None = None) -> bool:
        """Whether a principal may do that; None is one that did not say who it is, or an object that was not named."""
        if action not in OBJECTS:
            raise KeyError(f"no action is called {action}")
        for entry in self.lists.get(action, ()):
            if entry.principals.speaks_of(principal) and entry.objects.speaks_of(asked):
                return entry.principals.allows(principal) and entry.objects.allows(asked)
        return self.permissive

    def refusal(self, principal: str | None, action: str, asked: str | None = None) -> str | None:
        """Why a principal may not do that, in words; None if it may."""
        if self.allow(principal, action, asked):
            return None
        who = f"principal '{principal}'" if principal else "who did not say who it is"
        return f"{who} may not {action}" + (f" with {OBJECTS[action]} '{asked}'" if asked is not None else "")

    def restrict(self, *actions: str) -> bool:
        """Whether there is somebody who may not do everything of that kind."""
        return not self.permissive or any(self.lists.get(action) for action in actions)


NO_ACLS = Acls()


def parse_acls(text: str) -> Acls:
    """Read lists from JSON, or the path of a file with JSON; ValueError says what is wrong with them."""
    if text.startswith("/"):
        text = _content(text)
    try:
        tree = msgspec.json.decode(text)
    except msgspec.MsgspecError as error:
        raise ValueError(f"expected access control lists as JSON: {error}") from None
    if not isinstance(tree, dict):
        raise ValueError(f"expected an object with a list for each action, found {type(tree).__name__}")
    permissive = tree.pop("permissive", True)
    if not isinstance(permissive, bool):
        raise ValueError(f"expected permissive to be true or false, found {permissive!r}")
    return Acls({action: _entries(action, entries) for action, entries in tree.items()}, permissive, text)


def _content(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"expected a readable file, found {path}: {error}") from None


def _entries(action: str, entries: Any) -> tuple[Entry, ...]:
    if action not in OBJECTS:
        raise ValueError(f"expected an action such as {', '.join(sorted(OBJECTS)[:3])}, found {action!r}")
    if not isinstance(entries, list):
        raise ValueError(f"expected a list for {action}, found {entries!r}")
    return tuple(_entry(action, entry) for entry in entries)


def _entry(action: str, entry: Any) -> Entry:
    objects = OBJECTS[action]
    if not isinstance(entry, dict) or entry.keys() != {"principals", objects}:
        raise ValueError(f"expected principals and {objects} in each entry of {action}, found {entry!r}")
    made = Entry(_entity(action, entry["principals"], ""), _entity(action, entry[objects], objects))
    if action in WITHOUT_VALUES and made.objects.kind is Kind.SOME:
        raise ValueError(f"expected ANY or NONE as {objects} of {action}, found {entry[objects]!r}")
    return made


def _entity(action: str, tree: Any, objects: str) -> Entity:
    shape = f'{{"values": […]}}, or {{"type": "ANY"}} or "NONE", in {action}'
    if not isinstance(tree, dict) or not tree.keys() <= {"type", "values"}:
        raise ValueError(f"expected {shape}, found {tree!r}")
    values = tree.get("values", [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"expected {shape}, found {tree!r}")
    try:
        kind = Kind(tree.get("type", "SOME"))
    except ValueError:
        raise ValueError(f"expected {shape}, found {tree!r}") from None
    if objects != ROLES and any(value.endswith(BELOW) for value in values):
        raise ValueError(f"expected {BELOW} in roles only, found {tree!r} in {action}")
    return Entity(kind, frozenset(values) if kind is Kind.SOME else frozenset())
