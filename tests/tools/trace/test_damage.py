"""Files that are cut short, damaged, or no recordings at all: what is whole is read, and the rest is said."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.trace.conftest import Output, record_a_story
from tools.trace.errors import NoRecording
from tools.trace.story import Story

Trace = Callable[..., Output]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_a_story(tmp_path_factory.mktemp("damage") / "story") / "a.trace"


def steps(path: Path) -> list[object]:
    return [(step.kind, step.message) for step in Story([path]).steps()]


def test_a_file_cut_anywhere_tells_what_came_before(file: Path, tmp_path: Path):
    whole = steps(file)
    content = file.read_bytes()
    cut = tmp_path / "cut.trace"
    told = []
    for size in range(len(content), 0, -7):
        cut.write_bytes(content[:size])
        try:
            story = Story([cut])
        except NoRecording:
            break
        told.append([(step.kind, step.message) for step in story.steps()])
        assert told[-1] == whole[: len(told[-1])]
    assert len(told) > 20
    assert told[-1] == []


def test_what_follows_damage_is_read(file: Path, tmp_path: Path):
    content = file.read_bytes()
    damaged = tmp_path / "damaged.trace"
    place = content.index(b"\xa5timer") - 1
    damaged.write_bytes(content[:place] + b"\xc1 not a record \xc1" + content[place:])
    story = Story([damaged])
    assert steps(damaged) == steps(file)
    assert story.damage == [f"{damaged}: 16 bytes at {place} are no records"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # `trace` keeps no state
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_no_damage_is_too_much(
    file: Path, trace: Trace, tmp_path_factory: pytest.TempPathFactory, seed: int, changes: int
):
    chance = random.Random(seed)
    content = bytearray(file.read_bytes())
    for _ in range(changes):
        content[chance.randrange(len(content))] = chance.randrange(256)
    damaged = tmp_path_factory.getbasetemp() / "random.trace"
    damaged.write_bytes(content)
    for command in ("log", "stats", "slow", "mailboxes", "check"):
        try:
            assert len(trace(command, damaged).lines) < 100 * changes
        except NoRecording:
            return


def test_an_empty_file_is_no_recording(tmp_path: Path):
    empty = tmp_path / "empty.trace"
    empty.touch()
    with pytest.raises(NoRecording, match="no node is told of there"):
        Story([empty])
