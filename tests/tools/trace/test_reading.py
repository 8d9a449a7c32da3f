"""Recordings are read as one story: in the order of causes, by one clock, and any part of it is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from libprocess import Message
from libprocess.errors import OperatorError
from libprocess.recording import names_record
from tests.tools.trace.conftest import SKEW_SECONDS, Output, record_a_story
from tools.trace.__main__ import COMMANDS
from tools.trace.names import Names
from tools.trace.story import Story

Trace = Callable[..., Output]


class Crate(Struct, frozen=True, array_like=True, tag=True):
    """Something to pack."""

    weight: int


class Bag(Struct, frozen=True, array_like=True, tag="BAG"):
    """Something else."""

    colour: str


class PackMessage(Message, frozen=True):
    """From a packer to itself: pack these."""

    first: Crate | Bag
    more: tuple[Crate | Bag, ...] = ()


def handled(story: Story) -> list[tuple[str, str]]:
    """Type and key of what was handled, in order."""
    return [(step.message[0], step.message[1]) for step in story.steps() if step.kind == "handled"]


def test_what_led_to_something_comes_before_it(story: Path):
    order = handled(Story([story]))
    for key in ("t0", "t1", "t2"):
        assert order.index(("ShelveMessage", key)) < order.index(("ShelvedMessage", key))


def test_a_clock_that_is_ahead_is_told_by_the_mail(story: Path):
    skews = {node.address.host: node.skew for node in Story([story]).nodes}
    assert skews["a"] == 0
    assert skews["b"] == pytest.approx(SKEW_SECONDS, abs=0.05)


def test_a_merged_recording_tells_the_same_as_its_parts(story: Path, tmp_path: Path, trace: Trace):
    merged = tmp_path / "merged"
    said = trace("merge", story, "-o", merged)
    assert said.lines[0].startswith(f"{merged}: 11 records of 2 nodes")
    assert trace("log", merged).lines == trace("log", story).lines
    merged.with_name("merged.index").unlink()
    assert trace("log", merged).lines == trace("log", story).lines


def test_an_index_of_another_recording_is_not_used(story: Path, tmp_path: Path, trace: Trace):
    merged = tmp_path / "merged"
    trace("merge", story, "-o", merged)
    merged.write_bytes(merged.read_bytes()[:-20])
    assert trace("log", merged).lines[-1].endswith("(never arrived in this recording)")


def test_a_log_has_one_line_per_message(story: Path, trace: Trace):
    lines = trace("log", story).lines
    assert lines[0].startswith("begins 2023-11-14 22:13:")
    assert len(lines) == 1 + 9
    message = r"porter@a:5050 → shelf@b:5050 ShelveMessage\(key='t0', weight=0\)"
    assert re.fullmatch(rf"\+0\.\d+ {message}  #0\.\d+ of -  wire [\d.]+ ms", lines[1])


def test_what_may_be_one_thing_or_another_is_shown_as_what_it_is():
    packed = PackMessage(Bag("red"), (Crate(3), Bag("blue")))
    message = msgspec.msgpack.decode(msgspec.msgpack.encode(packed))
    names = Names(names_record()[3])
    assert names.text(message) == "PackMessage(first=Bag(colour='red'), more=[Crate(weight=3), Bag(colour='blue')])"
    assert dict(names.flat(message)) == {"first.colour": "red", "more.weight": 3, "more.colour": "blue"}


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--type", "Shelved*"], 4),
        (["--where", "key==t1"], 2),
        (["--where", "weight>0"], 2),
        (["--where", "key~at"], 3),
        (["--from", "porter", "--to", "*@b:5050"], 4),
        (["--actor", "shelf"], 8),
        (["--drops"], 0),
        (["--slower", "60"], 4),
        (["--limit", "2"], 2),
    ],
)
def test_a_log_is_filtered(story: Path, trace: Trace, arguments: list[str], count: int):
    assert len(trace("log", story, *arguments).lines[1:]) == count


def test_an_actor_tells_what_it_saw_and_did(story: Path, trace: Trace):
    text = trace("actor", "porter", story).text
    assert "porter@a:5050 spawned" in text
    assert "sets ShelveMessage(key='later', weight=0) for in 1 s" in text
    assert text.count("  sends ShelveMessage") == 4
    assert text.count("gets ShelvedMessage") == 4


def test_why_is_the_chain_back_to_the_root(story: Path, trace: Trace):
    last = trace("log", story, "--where", "key==later", "--type", "ShelvedMessage").lines[-1]
    [id_] = re.findall(r"#([\d.]+) of", last)
    lines = trace("why", id_, story).lines
    assert re.findall(r"\w+Message|⏲", "\n".join(lines[:3])) == [
        *("ShelvedMessage", "ShelveMessage"),
        "⏲",
        "ShelveMessage",
    ]
    assert lines[3] == "  which nothing led to: it came from outside, or an actor's first turn"


def test_effects_are_the_tree_forward(story: Path, trace: Trace):
    timer = trace("log", story, "--where", "key==later", "--to", "porter", "--type", "ShelveMessage").lines[1]
    [id_] = re.findall(r"#([\d.]+) of", timer)
    assert [len(line) - len(line.lstrip()) for line in trace("effects", id_, story).lines] == [0, 2, 4]


def test_a_life_says_where_the_time_went(story: Path, trace: Trace):
    lines = trace("task", "later", story).lines
    assert "longest: 1 s of 1.09 s: timer of 1 s of porter@a:5050" in lines
    parts = [line.split()[1:2] for line in lines if line.startswith("+1.0") and "%" in line]
    assert len(parts) == 2, "two ways over the wire"


def test_the_slow_are_shown_first(story: Path, trace: Trace):
    head, first, second = trace("slow", story).lines
    assert head.split()[:3] == ["message", "to", "count"]
    assert {first.split()[0], second.split()[0]} == {"ShelveMessage", "ShelvedMessage"}


def test_mailboxes_show_how_much_waited(story: Path, trace: Trace):
    lines = trace("mailboxes", story).lines
    assert re.search(r"shelf@b:5050 .*█.* 3 ", lines[2] + lines[3])


def test_stats_tell_what_there_is(story: Path, trace: Trace):
    text = trace("stats", story).text
    assert "9 handled, 8 sent, 2 spawned, 1 timer" in text
    assert re.search(r"b:5050 +\w+ +\+2\.?\d* s", text)


def test_a_whole_story_is_whole(story: Path, trace: Trace):
    found = trace("check", story)
    assert found.status == 0
    assert "0 received without a send" in found.lines
    assert found.lines[-1].split() == ["ShelveMessage", "4"], "the three things, and the timer"


def test_a_missing_recording_is_said(story: Path, trace: Trace):
    found = trace("check", story / "a.trace")
    assert "4 sent to nodes that are not recorded" in found.text


def test_the_same_run_has_no_difference(story: Path, tmp_path: Path, trace: Trace):
    again = record_a_story(tmp_path / "again")
    assert trace("diff", story, again).lines == ["the same: 2 actors got the same mail in the same order"]


def test_the_first_divergence_of_two_runs_is_named(story: Path, tmp_path: Path, trace: Trace):
    again = record_a_story(tmp_path / "again")
    other = again / "b.trace"
    other.write_bytes(other.read_bytes().replace(b"\xa2t1\x01", b"\xa2t1\x07"))
    found = trace("diff", story, again)
    assert found.status == 1
    assert found.lines[0] == "1 of 2 actors got other mail; the first is shelf of node 1"
    assert found.lines[-1] == "weight: 1 in a, 7 in b"
    assert trace("diff", story, again, "--ignore", "weight").status == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["log", "nowhere.trace"],
            "nowhere.trace does not exist; expected a recording, or a directory of *.trace files",
        ),
        (["log", __file__], "no node is told of there; expected a recording made by libprocess"),
        (["log", "STORY", "--where", "key"], "expected FIELD==VALUE (or != ~ < <= > >=), found 'key'"),
        (["why", "7.1", "STORY"], "no message is called '7.1'; expected an id as `log` shows it, such as 0.17"),
        (["why", "0.99", "STORY"], "no message #0.99 is told of; `log` shows the ids"),
        (["task", "t9", "STORY"], "no message names 't9'; expected the value of a field, such as a task's id"),
        (["actor", "nobody", "STORY"], "no actor is called 'nobody'; `stats` lists those there are"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(story: Path, trace: Trace, arguments: list[str], text: str):
    with pytest.raises(OperatorError) as raised:
        trace(*[str(story) if argument == "STORY" else argument for argument in arguments])
    assert str(raised.value).endswith(text)
    assert "\n" not in str(raised.value)


def test_every_command_has_a_help(capsys: pytest.CaptureFixture[str], trace: Trace):
    for command in COMMANDS:
        with pytest.raises(SystemExit) as raised:
            trace(command, "--help")
        assert raised.value.code == 0
    assert "FILE" in capsys.readouterr().out
