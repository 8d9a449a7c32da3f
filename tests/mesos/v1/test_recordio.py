"""RecordIO: records survive in whatever pieces they arrive, and nonsense is refused at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesos.v1.recordio import RecordDecoder, encode_record


@given(records=st.lists(st.binary(max_size=30), max_size=5), size=st.integers(1, 12))
def test_records_survive_in_any_pieces(records: list[bytes], size: int):
    stream = b"".join(map(encode_record, records))
    decoder = RecordDecoder()
    found = [record for start in range(0, len(stream), size) for record in decoder.feed(stream[start : start + size])]
    assert found == records


def test_a_record_is_handed_out_once_it_is_complete():
    decoder = RecordDecoder()
    assert decoder.feed(b"5\nhell") == []
    assert decoder.feed(b"o3\nab") == [b"hello"]


@pytest.mark.parametrize("stream", [b"x\n", b"-1\n", b"\n", b"1 \nx", b"9" * 21, b"HTTP/1.1 200 OK\r\n"])
def test_what_is_no_length_is_refused(stream: bytes):
    with pytest.raises(ValueError, match=r"^expected the length of a record, found "):
        RecordDecoder().feed(stream)


def test_a_record_beyond_the_limit_is_refused_before_it_arrives():
    with pytest.raises(ValueError, match=r"^expected a record of at most 10 bytes, found one of 11$"):
        RecordDecoder(bytes_max=10).feed(b"11\n")
