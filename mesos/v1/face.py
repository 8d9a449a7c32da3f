"""Faces: how a type of ours looks to the outside, both ways, from one declaration.

A face pairs each field of a struct with a field of a protobuf message. Most pairs follow from the names and types of
the two: `TaskID` and a message with a `value`, `labels` and a message that holds a list of them, `…_seconds` and a
message that counts nanoseconds. What does not follow is named, as a path (`rlimits="rlimit_info.rlimits"`) or with a
codec of its own. A field of ours that finds no partner is an error at import, so none is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from mesos.v1.tree import Misfit, Tree, show

T = TypeVar("T")
_NANOSECONDS = 1_000_000_000
_NANOSECONDS_MAX = 2**63 - 1


class Codec(NamedTuple):
    """How one value is read from a tree, and written to one."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


class _Pair(NamedTuple):
    """A field of ours and its partner, below `parents` in the tree."""

    name: str
    parents: tuple[str, ...]
    outside: str
    codec: Codec
    default: Any
    missing: Any
    """What is read where nothing is: an empty list, if ours has no default."""
    is_always_written: bool


class Face(Generic[T]):
    """The outside of a struct: `read` makes one from a tree, `write` makes the tree.

    `paths` names the partners that have another name, `codecs` those that need another reading; `inside` names our
    fields that have none, and `constants` theirs that always have one value.
    """

    def __init__(
        self,
        cls: type[T],
        descriptor: Descriptor,
        *,
        paths: Mapping[str, str] | None = None,
        codecs: Mapping[str, Codec] | None = None,
        inside: Iterable[str] = (),
        constants: Mapping[str, str] | None = None,
    ) -> None:
        self.cls = cls
        self._constants = dict(constants or {})
        inside = set(inside)
        hints = get_type_hints(cls)
        self._pairs = tuple(
            _pair(field, hints[field.name], descriptor, (paths or {}).get(field.name), (codecs or {}).get(field.name))
            for field in msgspec.structs.fields(cls)  # type: ignore[arg-type]
            if field.name not in inside
        )
        FACES.setdefault(cls, self)

    def read(self, tree: Tree, **more: Any) -> T:
        """Our struct; `more` are fields that come from elsewhere. Misfit for what cannot be one."""
        for name, expected in self._constants.items():
            if tree.get(name, expected) != expected:
                raise Misfit(f"expected {expected}, found {show(tree[name])}", name)
        values = more
        for pair in self._pairs:
            found = _find(tree, pair)
            if found is None:
                found = pair.missing
            if found is not None:
                try:
                    values[pair.name] = pair.codec.read(found)
                except ValueError as error:
                    raise _misfit(error).within(".".join((*pair.parents, pair.outside))) from None
        try:
            return self.cls(**values)
        except (TypeError, ValueError) as error:
            raise Misfit(str(error)) from None

    def write(self, value: T) -> Tree:
        """The tree of a struct: what is at its default is left out, unless the outside wants it always."""
        tree: Tree = dict(self._constants)
        for name, parents, outside, codec, default, _, is_always_written in self._pairs:
            item = getattr(value, name)
            if item is None or (item == default and not is_always_written):
                continue
            place = tree
            for parent in parents:
                place = place.setdefault(parent, {})
            place[outside] = codec.write(item)
        return tree

    @property
    def codec(self) -> Codec:
        """This face, where a codec is asked for."""
        return Codec(self.read, self.write)


FACES: dict[type, Face[Any]] = {}
"""The face of each type that has one."""

CODECS: dict[Any, Codec] = {}
"""Types that are paired with a message by a codec of their own."""

PLAIN = Codec(lambda value: value, lambda value: value)


def list_of(codec: Codec) -> Codec:
    """A tuple of ours, a list of theirs."""
    if codec is PLAIN:
        return Codec(tuple, list)
    return Codec(
        lambda items: tuple(_read_at(index, codec, item) for index, item in enumerate(items)),
        lambda items: [codec.write(item) for item in items],
    )


def within(name: str, codec: Codec, missing: Any = None) -> Codec:
    """A value of ours, a message with one field of theirs."""
    return Codec(lambda tree: codec.read(tree.get(name, missing)), lambda value: {name: codec.write(value)})


def _read_at(index: int, codec: Codec, item: Any) -> Any:
    try:
        return codec.read(item)
    except ValueError as error:
        raise _misfit(error).within(f"[{index}]") from None


def _misfit(error: ValueError) -> Misfit:
    """What a codec raised; what our own types refuse is a misfit, too."""
    return error if isinstance(error, Misfit) else Misfit(str(error))


def _find(tree: Tree, pair: _Pair) -> Any:
    place: Any = tree
    for parent in pair.parents:
        place = place.get(parent)
        if place is None:
            return None
    return place.get(pair.outside)


def _pair(
    field: msgspec.structs.FieldInfo, hint: Any, descriptor: Descriptor, path: str | None, codec: Codec | None
) -> _Pair:
    *parents, name = (path or _outside_name(field.name, descriptor)).split(".")
    message = descriptor
    for parent in parents:
        inner = message.fields_by_name[parent].message_type
        assert inner is not None, f"{path} leads through {parent}, which is no message"
        message = inner
    partner = message.fields_by_name[name]
    has_default = partner.has_default_value and not partner.GetOptions().deprecated
    return _Pair(
        name=field.name,
        parents=tuple(parents),
        outside=name,
        codec=codec or _derive(hint, partner),
        default=_default(field),
        missing=[] if partner.is_repeated and field.required else None,
        is_always_written=(partner.is_required or has_default) and not parents,
    )


def _default(field: msgspec.structs.FieldInfo) -> Any:
    """The field's default; for one that has none, something that no value equals."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return object() if field.default is msgspec.NODEFAULT else field.default


def _outside_name(name: str, descriptor: Descriptor) -> str:
    for candidate in (name, name.removesuffix("_seconds")):
        if candidate in descriptor.fields_by_name:
            return candidate
    raise TypeError(f"{descriptor.full_name} has no field for {name}: name its path, or say that it is inside")


def _derive(hint: Any, partner: FieldDescriptor) -> Codec:
    """The codec that follows from the two types."""
    hint = hint if hint in CODECS else _without_none(hint)
    if hint in CODECS:
        return CODECS[hint]
    if partner.is_repeated and get_origin(hint) is tuple:
        return list_of(_derive_one(get_args(hint)[0], partner))
    return _derive_one(hint, partner)


def _derive_one(hint: Any, partner: FieldDescriptor) -> Codec:
    hint = getattr(hint, "__supertype__", hint)
    if hint in CODECS:
        return CODECS[hint]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return FACES[hint].codec
    if partner.message_type is not None:
        return _derive_within(hint, partner.message_type)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return Codec(_enum_reader(hint), str)
    return PLAIN


def _derive_within(hint: Any, message: Descriptor) -> Codec:
    """A message that stands for one value: the only one it has, or the one that is called so."""
    if hint is float and "nanoseconds" in message.fields_by_name:
        return Codec(lambda tree: tree["nanoseconds"] / _NANOSECONDS, _nanoseconds)
    inner = message.fields[0] if len(message.fields) == 1 else message.fields_by_name["value"]
    return within(inner.name, _derive(hint, inner), [] if inner.is_repeated else None)


def _nanoseconds(seconds: float) -> Tree:
    # Rounded to microseconds: a double holds no more of a time since 1970. What 64 bits do not hold is for ever.
    number = round(seconds * 1_000_000) * 1_000
    return {"nanoseconds": max(-_NANOSECONDS_MAX, min(number, _NANOSECONDS_MAX))}


def _enum_reader(enum: type[StrEnum]) -> Callable[[Any], StrEnum]:
    def read(name: Any) -> StrEnum:
        try:
            return enum(name)
        except ValueError:
            raise Misfit(f"expected one of {', '.join(enum)}, found {name}") from None

    return read


def _without_none(hint: Any) -> Any:
    if get_origin(hint) not in (Union, UnionType):
        return hint
    [inner] = (option for option in get_args(hint) if option is not NoneType)
    return inner
