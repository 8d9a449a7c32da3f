"""The modules made from the .proto files are up to date."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pool import Default

import mesos.v1.proto

DIRECTORY = Path(mesos.v1.proto.__file__).parent
FIELD = re.compile(r"^ *(?:(?:optional|required|repeated) )?[\w.<>, ]+ (\w+) = (\d+)(?: \[.*\])?;$")


def declared(path: Path) -> Counter[tuple[str, int]]:
    """Names and numbers of all fields, and of all values of enums, in a .proto file."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith(("syntax", "import", "package"))]
    values = (re.match(r"^ *(\w+) = (\d+);$", line) or FIELD.match(line) for line in lines)
    return Counter((match[1], int(match[2])) for match in values if match)


def made(file: FileDescriptor) -> Counter[tuple[str, int]]:
    """The same of the module that was made from it."""
    enums = (value for enum in file.enum_types_by_name.values() for value in enum.values)
    found = Counter((value.name, value.number) for value in enums)
    for message in file.message_types_by_name.values():
        found.update(fields(message))
    return found


def fields(message: Descriptor) -> Iterator[tuple[str, int]]:
    if message.GetOptions().map_entry:
        return
    yield from ((field.name, field.number) for field in message.fields)
    yield from ((value.name, value.number) for enum in message.enum_types for value in enum.values)
    for inner in message.nested_types:
        yield from fields(inner)


@pytest.mark.parametrize("path", sorted(DIRECTORY.glob("*.proto")), ids=lambda path: path.stem)
def test_a_module_says_what_its_file_says(path: Path):
    file = Default().FindFileByName(f"mesos/v1/proto/{path.name}")
    assert made(file) == declared(path)
