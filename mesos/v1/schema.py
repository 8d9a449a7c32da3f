"""The v1 messages as JSON Schema: for the description of the APIs that take them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from libprocess.http.routes import About
from mesos.v1.media import Media

Json: TypeAlias = dict[str, Any]

_SCALARS: dict[int, Json] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "format": "byte"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_INT64: {"type": "integer", "format": "int64"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    FieldDescriptor.TYPE_UINT64: {"type": "integer", "minimum": 0},
}


def takes(call: Descriptor, types: Iterable[str], response: Descriptor | None = None) -> About:
    """What a route takes whose requests are calls of these types, and what some of them are answered with.

    SUBSCRIBE is not among those that are described: its answer does not end, and who tries out a description waits.
    """
    schemas: dict[str, Json] = {}
    _add(call, schemas)
    schema = schemas[_name(call)]
    schema["properties"] |= {"type": {"type": "string", "enum": sorted(set(types) - {"SUBSCRIBE"})}}
    schema["required"] = ["type"]
    binary = {"type": "string", "format": "binary"}
    answer: dict[str, Json] = {}
    if response is not None:
        _add(response, schemas)
        answer = {Media.JSON: _reference(response), Media.PROTOBUF: binary}
    body: dict[str, Json] = {Media.JSON: _reference(call), Media.PROTOBUF: binary}
    return About(body=body, answer=answer, schemas=schemas, below=False)


def _add(descriptor: Descriptor, schemas: dict[str, Json]) -> None:
    if _name(descriptor) in schemas:
        return
    properties: dict[str, Json] = {}
    schemas[_name(descriptor)] = {"type": "object", "properties": properties}
    required = [field.name for field in descriptor.fields if field.is_required]
    if required:
        schemas[_name(descriptor)]["required"] = required
    for field in descriptor.fields:
        properties[field.name] = _field(field, schemas)


def _field(field: FieldDescriptor, schemas: dict[str, Json]) -> Json:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        return {"type": "object", "additionalProperties": _value(message.fields_by_name["value"], schemas)}
    value = _value(field, schemas)
    return {"type": "array", "items": value} if field.is_repeated else value


def _value(field: FieldDescriptor, schemas: dict[str, Json]) -> Json:
    if field.message_type is not None:
        _add(field.message_type, schemas)
        return _reference(field.message_type)
    if field.enum_type is not None:
        return {"type": "string", "enum": [value.name for value in field.enum_type.values]}
    return _SCALARS[field.type]


def _name(descriptor: Descriptor) -> str:
    name: str = descriptor.full_name
    return name


def _reference(descriptor: Descriptor) -> Json:
    return {"$ref": f"#/components/schemas/{_name(descriptor)}"}
