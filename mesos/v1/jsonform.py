"""Trees read from JSON, as strictly as the types ask and as loosely as clients write.

`null` means unset. A bare value where a list belongs is a list of one. Unknown fields, and names of enums that this
version does not know, are ignored. Bytes are base64. What fits nowhere is refused with its path.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import cache, partial
from math import isnan
from typing import Any

import msgspec
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from mesos.v1.tree import Misfit, Tree, show

Reader = Callable[[Any], Any]


def read_json(body: bytes, descriptor: Descriptor) -> Tree:
    """The tree of a JSON body; Misfit for what is no JSON, or does not fit the message."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Misfit(f"expected JSON: {error}") from None
    tree: Tree = _message(descriptor)(document)
    return tree


@cache
def _message(descriptor: Descriptor) -> Reader:
    readers = {field.name: _field(field) for field in descriptor.fields}
    required = tuple(field.name for field in descriptor.fields if field.is_required)

    def read(document: Any) -> Tree:
        if type(document) is not dict:
            raise Misfit(f"expected an object, found {show(document)}")
        tree: Tree = {}
        for name, value in document.items():
            if value is not None and name in readers:
                try:
                    found = readers[name](value)
                except Misfit as misfit:
                    raise misfit.within(name) from None
                if found is not None:
                    tree[name] = found
        for name in required:
            if name not in tree:
                raise Misfit(f"expected the field {name!r}, found none")
        return tree

    return read


def _field(field: FieldDescriptor) -> Reader:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        return partial(_map, _value(message.fields_by_name["value"]))
    return partial(_list, _value(field)) if field.is_repeated else _value(field)


def _value(field: FieldDescriptor) -> Reader:
    if field.message_type is not None:
        # Looked up when it is used: a message may contain itself.
        return lambda value: _message(field.message_type)(value)
    if field.enum_type is not None:
        return partial(_enum, _names(field.enum_type))
    return _SCALARS[field.type]


def _list(read: Reader, value: Any) -> list[Any]:
    items: list[Any] = value if type(value) is list else [value]
    found = []
    for index, item in enumerate(items):
        try:
            found.append(read(item))
        except Misfit as misfit:
            raise misfit.within(f"[{index}]") from None
    return [item for item in found if item is not None]


def _map(read: Reader, value: Any) -> Tree:
    if type(value) is not dict:
        raise Misfit(f"expected an object, found {show(value)}")
    tree = {}
    for name, item in value.items():
        try:
            tree[name] = read(item)
        except Misfit as misfit:
            raise misfit.within(name) from None
    return tree


def _names(enum: EnumDescriptor) -> dict[Any, str]:
    return {value.name: value.name for value in enum.values} | {value.number: value.name for value in enum.values}


def _enum(names: dict[Any, str], value: Any) -> str | None:
    if type(value) not in (str, int):
        raise Misfit(f"expected the name of a value, found {show(value)}")
    return names.get(value)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Misfit(f"expected a text, found {show(value)}")
    return value


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(_text(value), validate=True)
    except (binascii.Error, ValueError):
        raise Misfit(f"expected bytes in base64, found {show(value)}") from None


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise Misfit(f"expected true or false, found {show(value)}")
    return value


def _double(value: Any) -> float:
    try:
        number = float(value) if type(value) in (int, float, str) else None
    except (ValueError, OverflowError):
        number = None
    if number is None or isnan(number):
        raise Misfit(f"expected a number, found {show(value)}")
    return number


def _integer(low: int, high: int, value: Any) -> int:
    if type(value) is str and value.removeprefix("-").isdecimal() and len(value) <= 20:
        value = int(value)  # how the JSON of protobuf writes 64 bits
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or not low <= value <= high:
        raise Misfit(f"expected a whole number from {low} to {high}, found {show(value)}")
    return value


_SCALARS: dict[int, Reader] = {
    FieldDescriptor.TYPE_STRING: _text,
    FieldDescriptor.TYPE_BYTES: _bytes,
    FieldDescriptor.TYPE_BOOL: _bool,
    FieldDescriptor.TYPE_DOUBLE: _double,
    FieldDescriptor.TYPE_FLOAT: _double,
    FieldDescriptor.TYPE_INT32: partial(_integer, -(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: partial(_integer, -(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: partial(_integer, 0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: partial(_integer, 0, 2**64 - 1),
}
