"""What operators write for --attributes."""

from __future__ import annotations

import pytest

from mesos.attributes import format_attributes, parse_attributes
from mesos.resources import Ranges, Set
from mesos.types import Attribute

TEXT = "rack:abc;level:10;keys:[1000-1500];disks:{hdd,ssd};url:http://a:80;weight:0.5"


def test_every_form_is_read() -> None:
    assert parse_attributes(TEXT) == (
        Attribute("rack", "abc"),
        Attribute("level", 10.0),
        Attribute("keys", Ranges(((1000, 1500),))),
        Attribute("disks", Set(("hdd", "ssd"))),
        Attribute("url", "http://a:80"),
        Attribute("weight", 0.5),
    )


def test_attributes_survive_being_written() -> None:
    assert format_attributes(parse_attributes(TEXT)) == TEXT


@pytest.mark.parametrize("text", ["10.0.0.1", "1e5", "nan", "v1.2", "-"])
def test_what_only_resembles_a_number_is_a_text(text: str) -> None:
    assert parse_attributes(f"it:{text}") == (Attribute("it", text),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rack", "expected an attribute such as rack:abc, found 'rack'"),
        ("rack:", "expected an attribute such as rack:abc, found 'rack:'"),
        (":abc", "expected an attribute such as rack:abc, found ':abc'"),
        ("keys:[1-", "keys: expected ']' at the end, found '[1-'"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared below
        parse_attributes(text)
    assert str(caught.value) == reason
