"""`replay`: one actor of a recording again, with what it was told then; does it do what it did then?"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from libprocess import PID, Process
from tools.trace.errors import BadArgument
from tools.trace.lines import moment
from tools.trace.names import Names
from tools.trace.reading import add_files, open_story
from tools.trace.replaying.script import Script, Sent, Turn
from tools.trace.replaying.stage import Stage, Unlike
from tools.trace.story import Story

_encode = msgspec.msgpack.Encoder(enc_hook=repr).encode
_decode = msgspec.msgpack.decode


class Difference(Exception):
    """The actor did something else. The text is what."""


class Replay:
    """Plays an actor's script and compares, turn by turn."""

    def __init__(self, script: Script, actor: Process, names: Names) -> None:
        self._names = names
        self._stage = Stage(script.pid, actor)
        self.played = self.sent = self.skipped = 0

    def play(self, turn: Turn, is_debugged: bool = False) -> None:
        """One turn. Difference says what is not as it was then."""
        if isinstance(turn.message, str):
            self.skipped += 1  # it was not made for the wire, so the recording has it only as people read it
            return
        try:
            sent = self._stage.play(turn, is_debugged)
        except Unlike as unlike:
            raise Difference(str(unlike)) from None
        except Exception as error:
            raise Difference(f"it fails: {type(error).__name__}: {error}") from error
        for is_timer in (False, True):
            self._compare(
                [one for one in turn.sent if (one.seconds is not None) is is_timer],
                [one for one in sent if (one.seconds is not None) is is_timer],
            )
        self.played += 1
        self.sent += len(sent)

    def _compare(self, then: list[Sent], now: list[Sent]) -> None:
        for one, other in zip(then, now, strict=False):
            if (one.to, one.seconds, _encode(one.message)) != (other.to, other.seconds, _encode(other.message)):
                raise Difference(f"then it sent {self._text(one)}\n     now it sends {self._text(other)}")
        if len(then) > len(now):
            raise Difference(f"then it sent {self._text(then[len(now)])}\n     now nothing more")
        if len(now) > len(then):
            raise Difference(f"then it sent nothing more\n     now it sends {self._text(now[len(then)])}")

    def _text(self, sent: Sent) -> str:
        message = self._names.text(_decode(_encode(sent.message)), 1000)
        return f"{message} to {sent.to}" if sent.seconds is None else f"{message} to itself in {sent.seconds:g} s"


def add_replay(parser: argparse.ArgumentParser) -> None:
    """The options of `replay`."""
    parser.add_argument("pid", metavar="PID", help="the actor: master@127.0.0.1:5050")
    parser.add_argument("make", metavar="MODULE:FUNCTION", help="what makes such an actor: called without arguments")
    add_files(parser)
    parser.add_argument("--pdb", metavar="ID", help="step through the handling of that message, as `log` shows its id")
    parser.set_defaults(run=replay)


def replay(options: argparse.Namespace) -> Iterator[str]:
    """All turns, or those until the first difference; exit status 1 if there is one."""
    story = open_story(options.files)
    make = _factory(options.make)
    try:
        pid = PID.parse(options.pid)
    except ValueError as error:
        raise BadArgument(str(error)) from None
    script = Script(_paths(options.files), pid)
    if not script.has_inputs:
        yield "the recording does not tell what actors were told of time and chance; see LIBPROCESS_TRACING=record"
    wanted = story.id_of(options.pdb) if options.pdb else None
    player = Replay(script, make(), Names(story.names))
    for turn in script.turns:
        try:
            player.play(turn, is_debugged=turn.id == wanted and turn.kind == "message")
        except Difference as difference:
            options.status = 1
            yield f"the first difference, in turn {player.played + 1} of {len(script.turns)}:"
            yield f"  at {moment(turn.time)} it handles {_what(player, story, turn)}"
            yield f"     {difference}"
            return
    yield f"the same: {player.played:,} turns, {player.sent:,} messages and timers, byte for byte"
    if player.skipped:
        yield f"{player.skipped:,} turns are left out: HTTP requests, which a recording only describes"


def _what(player: Replay, story: Story, turn: Turn) -> str:
    if turn.kind != "message":
        return f"its {'first' if turn.kind == 'initialize' else 'last'} turn"
    return f"{player._names.text(_decode(_encode(turn.message)))} from {turn.sender} #{story.id_text(turn.id)}"


def _paths(files: list[str]) -> list[Path]:
    return [path for file in map(Path, files) for path in (sorted(file.glob("*.trace")) if file.is_dir() else [file])]


def _factory(text: str) -> Callable[[], Process]:
    """What MODULE:FUNCTION names; modules are looked for in the working directory too, as Python itself does."""
    module, colon, name = text.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = getattr(importlib.import_module(module), name) if colon else None
    except (ImportError, AttributeError) as error:
        raise BadArgument(f"{text} cannot be imported: {error}") from None
    if not callable(found):
        raise BadArgument(f"expected MODULE:FUNCTION, which makes the actor, found {text!r}")
    make: Callable[[], Process] = found
    return make
