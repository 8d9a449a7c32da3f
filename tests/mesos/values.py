"""Random values of any type that may stand in a message, made from its declaration."""

from __future__ import annotations

import types
import typing
from enum import StrEnum
from typing import Any

import msgspec
from hypothesis import strategies as st

from mesos.resources import Kind, Resource, Resources
from tests.mesos.strategies import any_resource, kinds, resources, sets
from tests.mesos.strategies import ranges as some_ranges

_LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=5),
    bytes: st.binary(max_size=5),
    int: st.integers(0, 2**31),
    float: st.floats(0, 1e9),
    bool: st.booleans(),
    type(None): st.none(),
    Resources: resources,
    Resource: any_resource,
    Kind: kinds("cpus"),
}


def values_of(declared: Any) -> st.SearchStrategy[Any]:
    """Random values of a declared type; TypeError for one that no message may hold."""
    if declared in _LEAVES:
        return _LEAVES[declared]
    if isinstance(declared, typing.NewType):
        return values_of(declared.__supertype__)
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(values_of, arguments))
    if origin is tuple and arguments[1:] == (...,):
        return st.lists(st.deferred(lambda: values_of(arguments[0])), max_size=2).map(tuple)
    return _values_of_class(declared)


def _values_of_class(declared: Any) -> st.SearchStrategy[Any]:
    if isinstance(declared, type) and issubclass(declared, StrEnum):
        return st.sampled_from(declared)
    if isinstance(declared, type) and issubclass(declared, msgspec.Struct):
        if declared.__name__ in ("Ranges", "Set"):
            return some_ranges if declared.__name__ == "Ranges" else sets
        hints = typing.get_type_hints(declared)
        return st.builds(declared, **{name: values_of(hints[name]) for name in declared.__struct_fields__})
    raise TypeError(f"no message may hold {declared}")
