"""`python -m tools.simulate`: look for a seed under which a cluster breaks a promise."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from libprocess.endings import end_as_interrupted
from libprocess.errors import OperatorError, told_to_the_operator
from libprocess.flags import PATH, Flags, flag
from tools.simulate.plants import Plant
from tools.simulate.playing import Outcome, play, play_all
from tools.simulate.story import Setting

PROGRAM = "tools.simulate"


class SimulateFlags(Flags, program=PROGRAM):
    """Plays clusters in virtual time, under faults, each from a seed of its own, and looks whether they keep what they
    promise: nothing is offered or used twice, every task has one end that all agree on, no acknowledged update is lost,
    no id is used again. A seed always plays the same.
    """

    seeds: int = flag(default=100, help="How many seeds to play: 0 and following.")
    seed: int | None = flag(default=None, help="Play only this one.")
    agents: int = flag(default=20, help="How many agents a cluster has.")
    schedulers: int = flag(default=3, help="How many frameworks it has at a time.")
    story: Literal["lives", "contest", "steps"] = flag(
        default="lives",
        help=(
            "Lives under all kinds of troubles; a contest of frameworks that want more than there is; or steps: in a "
            "short life of a small cluster somebody dies, at another piece of mail with each seed."
        ),
    )
    record: str | None = flag(
        default=None, kind=PATH, help="Record what happens with --seed to this file, which mesos-trace reads."
    )
    digest: bool = flag(default=False, help="Print the digest of each trace.")
    plant: Plant = flag(
        default="none",
        help="Plant this bug, and end well once it is caught; some are caught in one story only.",
    )
    json: bool = flag(default=False, help="Print the result as JSON.")


def main() -> int:
    """Play, and tell; returns the exit status."""
    end_as_interrupted()
    with told_to_the_operator(PROGRAM), suppress(KeyboardInterrupt):
        try:
            status = run(SimulateFlags.load())
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read it has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        return status
    return 130


def run(flags: SimulateFlags) -> int:
    """Play the seeds that are asked for."""
    check(flags)
    setting = Setting(flags.agents, flags.schedulers, story=flags.story)
    begun = time.monotonic()
    if flags.seed is not None:
        recording = Path(flags.record) if flags.record else None
        outcomes: Iterable[Outcome] = [play(flags.seed, setting, flags.plant, recording)]
    else:
        outcomes = watched(play_all(range(flags.seeds), setting, flags.plant), flags)
    played = list(told(until_caught(outcomes) if is_planted(flags) else outcomes, flags))
    tell(flags, played, time.monotonic() - begun)
    caught = any(outcome.broken for outcome in played)
    return int(caught != is_planted(flags))


def is_planted(flags: SimulateFlags) -> bool:
    """Whether a broken promise is what is looked for."""
    return flags.plant != "none"


def check(flags: SimulateFlags) -> None:
    """OperatorError for what cannot be played."""
    for name in ("seeds", "agents", "schedulers"):
        if getattr(flags, name) < 1:
            raise OperatorError(f"--{name}: expected 1 or more, found {getattr(flags, name)}")
    if flags.record and flags.seed is None:
        raise OperatorError("--record: expected --seed=NUMBER beside it: only one seed is recorded")
    if flags.record:
        try:
            Path(flags.record).open("wb").close()
        except OSError as error:
            raise OperatorError(f"--record: {flags.record} cannot be written: {error.strerror}") from None


def watched(outcomes: Iterator[Outcome], flags: SimulateFlags) -> Iterator[Outcome]:
    """Show a progress bar, where somebody sees it."""
    return iter(tqdm(outcomes, total=flags.seeds, unit="seed", file=sys.stderr, disable=not sys.stderr.isatty()))


def until_caught(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Play no more once a promise was broken."""
    for outcome in outcomes:
        yield outcome
        if outcome.broken:
            return


def told(outcomes: Iterable[Outcome], flags: SimulateFlags) -> Iterator[Outcome]:
    """Say of each seed what is to be said of it as soon as it is played: nobody waits for the last to see the first."""
    for outcome in outcomes:
        if flags.digest and not flags.json:
            tqdm.write(f"seed {outcome.seed}: digest {outcome.digest}")
        if outcome.broken and not flags.json:
            tqdm.write("\n".join(broken_lines(flags, outcome)))
        sys.stdout.flush()
        yield outcome


def tell(flags: SimulateFlags, played: list[Outcome], seconds: float) -> None:
    """Say how it went."""
    if flags.json:
        print(json.dumps(summary(flags, played, seconds)))
        return
    broken = [outcome for outcome in played if outcome.broken]
    print(
        f"{counted(len(played), 'seed')} in {seconds:.1f} s ({len(played) / seconds:.2f} seeds/s): "
        f"{sum(outcome.seconds for outcome in played):.0f} virtual seconds, {sum(o.tasks for o in played)} tasks, "
        f"{counted(len(broken), 'broken promise')}"
    )
    if is_planted(flags) and not broken:
        print(f"the planted bug {flags.plant} was not caught")


def counted(number: int, noun: str) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def broken_lines(flags: SimulateFlags, outcome: Outcome) -> Iterator[str]:
    """What was broken, and how to see it again."""
    if flags.seed is not None:
        yield from outcome.tail
    yield f"seed {outcome.seed}: {outcome.broken}"
    if flags.seed is None:
        yield f"see it again: {again(flags, outcome.seed)}"
        recording = f"seed-{outcome.seed}.trace"
        yield f"look into it: {again(flags, outcome.seed)} --record {recording}; mesos-trace log {recording}"
    elif flags.record:
        yield f"look into it: mesos-trace log {flags.record}"


def again(flags: SimulateFlags, seed: int) -> str:
    """The command that plays a seed again."""
    defaults = {"agents": 20, "schedulers": 3, "story": "lives", "plant": "none"}
    given = {"seed": seed} | {name: getattr(flags, name) for name in defaults}
    words = [f"--{name} {value}" for name, value in given.items() if defaults.get(name) != value]
    return f"python -m tools.simulate {' '.join(words)}"


def summary(flags: SimulateFlags, played: list[Outcome], seconds: float) -> dict[str, object]:
    """The result for a program."""
    return {
        "seeds": len(played),
        "seconds": round(seconds, 3),
        "seeds_per_second": round(len(played) / seconds, 3),
        "virtual_seconds": round(sum(outcome.seconds for outcome in played), 3),
        "tasks": sum(outcome.tasks for outcome in played),
        "plant": flags.plant,
        "broken": [{"seed": o.seed, "promise": o.broken, "again": again(flags, o.seed)} for o in played if o.broken],
        "digests": {outcome.seed: outcome.digest for outcome in played} if flags.digest else {},
    }


if __name__ == "__main__":
    sys.exit(main())
