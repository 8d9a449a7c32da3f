"""Random documents of any message, made from its declaration: what a client could send, however odd."""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

DEPTH_MAX = 5

_ODD_TEXT = st.sampled_from(
    ["", "*", "a", "a/b", "a//b", "..", "-x", "cpus", "mem", "disk", "ports", "\u0000", "x" * 300]
)
_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: _ODD_TEXT,
    FieldDescriptor.TYPE_BYTES: st.sampled_from(["", "aGk=", "AAECAwQFBgcICQoLDA0ODw=="]),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: st.sampled_from([0.0, 0.5, 1.0, -1.0, 1e30, "Infinity", "-Infinity", 1e-9]),
    FieldDescriptor.TYPE_INT32: st.sampled_from([0, 1, -1, 2**31 - 1]),
    FieldDescriptor.TYPE_INT64: st.sampled_from([0, 1, -1, 10**9, 2**63 - 1, -(2**63)]),
    FieldDescriptor.TYPE_UINT32: st.sampled_from([0, 1, 2**32 - 1]),
    FieldDescriptor.TYPE_UINT64: st.sampled_from([0, 1, 5, 31000, 2**64 - 1]),
}


@cache
def documents(message: Descriptor, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """JSON documents that fit a message; what is required is there, and of the rest some."""
    required = {field.name: _values(field, depth) for field in message.fields if field.is_required}
    rest = {
        field.name: _values(field, depth)
        for field in message.fields
        if not field.is_required and (depth < DEPTH_MAX or field.message_type is None)
    }
    return st.fixed_dictionaries(required, optional=rest)


def _values(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        return st.dictionaries(_ODD_TEXT, _value(message.fields_by_name["value"], depth), max_size=2)
    return st.lists(_value(field, depth), max_size=2) if field.is_repeated else _value(field, depth)


def _value(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return st.deferred(lambda: documents(field.message_type, depth + 1))
    if field.enum_type is not None:
        return st.sampled_from([value.name for value in field.enum_type.values])
    return _SCALARS[field.type]
