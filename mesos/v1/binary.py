"""Trees read from protobuf's bytes, and written as such."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from mesos.v1.tree import Misfit, Tree


def read_binary(body: bytes, descriptor: Descriptor) -> Tree:
    """The tree of a protobuf body; Misfit for what is no such message, or lacks what is required."""
    message: Any = GetMessageClass(descriptor)()
    try:
        message.ParseFromString(body)
    except DecodeError:
        raise Misfit(f"expected {descriptor.name} as protobuf, found {len(body)} bytes of something else") from None
    for path in message.FindInitializationErrors():
        raise Misfit("expected a value, found none", path)
    return _tree(message)


def write_binary(tree: Tree, descriptor: Descriptor) -> bytes:
    """The protobuf bytes of a tree that fits."""
    message: Any = GetMessageClass(descriptor)()
    _fill(message, tree)
    body: bytes = message.SerializeToString()
    return body


def _tree(message: Any) -> Tree:
    return {field.name: _read(field, value) for field, value in message.ListFields()}


def _read(field: FieldDescriptor, value: Any) -> Any:
    if _is_map(field):
        return {key: _read_one(_item(field), value[key]) for key in sorted(value)}
    return [_read_one(field, item) for item in value] if field.is_repeated else _read_one(field, value)


def _read_one(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return _tree(value)
    return field.enum_type.values_by_number[value].name if field.enum_type is not None else value


def _fill(message: Any, tree: Tree) -> None:
    for name, value in tree.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if _is_map(field):
            _fill_map(getattr(message, name), field, value)
        elif field.is_repeated:
            _fill_list(getattr(message, name), field, value)
        elif field.message_type is not None:
            inner = getattr(message, name)
            inner.SetInParent()
            _fill(inner, value)
        else:
            setattr(message, name, _write(field, value))


def _fill_list(items: Any, field: FieldDescriptor, values: Any) -> None:
    if field.message_type is None:
        items.extend(_write(field, value) for value in values)
        return
    for value in values:
        _fill(items.add(), value)


def _fill_map(items: Any, field: FieldDescriptor, values: Tree) -> None:
    item = _item(field)
    for key, value in values.items():
        if item.message_type is None:
            items[key] = _write(item, value)
        else:
            _fill(items[key], value)


def _write(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type is not None:
        return field.enum_type.values_by_name[value].number
    return float(value) if field.type == FieldDescriptor.TYPE_DOUBLE else value


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _item(field: FieldDescriptor) -> FieldDescriptor:
    """What the values of a map are."""
    assert field.message_type is not None
    return field.message_type.fields_by_name["value"]
