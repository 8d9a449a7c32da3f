"""The simulation of clusters: seeds that repeat themselves, planted bugs that are caught, and what is said of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mesos.types import CommandInfo
from tools.simulate.__main__ import SimulateFlags, run
from tools.simulate.containers import Plot, read_command
from tools.simulate.contest_plants import CONTEST_PLANTS
from tools.simulate.plants import PLANTS
from tools.simulate.playing import play, play_all
from tools.simulate.story import Setting
from tools.trace.checking import Check
from tools.trace.story import Story

ROOT = Path(__file__).parents[2]

SMALL = Setting(agents=6, schedulers=2, seconds=200.0)
CONTEST = Setting(agents=6, seconds=100.0, story="contest")


@pytest.mark.parametrize("seed", range(5))
def test_a_cluster_keeps_its_promises(seed: int):
    outcome = play(seed, SMALL)
    assert outcome.broken == ""
    assert outcome.tasks > 10, "something happened"


STEPS = Setting(story="steps")
STEPS_SEEDS = 2000
"""From here on nobody gets as far as the piece of mail that he is to die at."""


def test_whoever_dies_at_whatever_piece_of_mail_no_promise_is_broken():
    """Some of all; `python -m tools.simulate --story=steps --seeds=2000` plays them all."""
    broken = {seed: outcome.broken for seed in range(0, STEPS_SEEDS, 47) if (outcome := play(seed, STEPS)).broken}
    assert broken == {}


CAUGHT_AT = {
    "any-acknowledgement": 5,
    "endless-refusal": 1,
    "half-clean": 2,
    "no-headroom": 2,
    "old-master": 27,
    "untold-change": 14,
}
"""With which seed first; the others with 0 or 1."""


@pytest.mark.parametrize("plant", sorted(set(PLANTS) - {"none"} - set(CONTEST_PLANTS)))
def test_a_planted_bug_is_caught(plant: str):
    outcomes = (play(seed, SMALL, plant) for seed in (CAUGHT_AT.get(plant, 0), *range(20)))
    caught = next((outcome for outcome in outcomes if outcome.broken), None)
    assert caught is not None
    assert caught.tail, "what happened last is there to be seen"


@pytest.mark.parametrize("plant", sorted(CONTEST_PLANTS))
def test_a_bug_in_who_is_given_what_is_caught_by_a_contest(plant: str):
    outcomes = (play(seed, CONTEST, plant) for seed in (CAUGHT_AT.get(plant, 0), *range(6)))
    assert any(outcome.broken for outcome in outcomes)


def test_a_plant_is_pulled_out_again():
    play(0, SMALL, "double-offer")
    assert play(0, SMALL).broken == ""


def test_a_seed_gives_the_same_digest_under_any_hash_seed():
    command = (
        "from tools.simulate.playing import play; from tools.simulate.story import Setting; "
        "print(play(3, Setting(agents=6, schedulers=2, seconds=200.0)).digest)"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", command],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "4242")
    }
    assert digests == {play(3, SMALL).digest}


def test_the_result_is_told(capsys: pytest.CaptureFixture[str]):
    assert run(SimulateFlags(seeds=2, agents=3, schedulers=1)) == 0
    assert capsys.readouterr().out.startswith("2 seeds in ")


def test_the_result_is_told_to_programs(capsys: pytest.CaptureFixture[str]):
    assert run(SimulateFlags(seed=1, agents=3, schedulers=1, digest=True, json=True)) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["seeds"], told["broken"], list(told["digests"])) == (1, [], ["1"])


def test_a_broken_promise_comes_with_the_command_to_see_it_again(capsys: pytest.CaptureFixture[str]):
    flags = SimulateFlags(seeds=20, agents=3, schedulers=1, plant="double-offer")
    assert run(flags) == 0, "that is what was looked for"
    told = capsys.readouterr().out
    again = told.partition("see it again: python -m tools.simulate ")[2].splitlines()[0]
    assert run(SimulateFlags.load(again.split())) == 0
    assert "1 broken promise" in capsys.readouterr().out


def test_a_seed_that_broke_a_promise_is_opened_in_the_trace_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "seed.trace"
    flags = SimulateFlags(seed=1, agents=3, schedulers=1, digest=True)
    assert run(flags) == run(SimulateFlags(seed=1, agents=3, schedulers=1, digest=True, record=str(path))) == 0
    digests = {line for line in capsys.readouterr().out.splitlines() if line.startswith("seed 1: digest")}
    assert len(digests) == 1, "it plays the same, recorded or not"
    check = Check(Story([path]))
    assert check.received > 1000
    assert check.is_whole


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_what_was_found_before_it_is_ended_is_told_and_nothing_goes_on(ending: signal.Signals):
    command = [sys.executable, "-m", "tools.simulate", "--digest", "--story=steps", "--seeds=1000"]
    player = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert player.stdout is not None
    assert player.stdout.readline().startswith("seed 0: digest ")
    player.send_signal(ending)
    _, complaints = player.communicate()
    assert (player.returncode, complaints) == (130, "")
    with pytest.raises(ProcessLookupError):
        os.killpg(player.pid, 0)


def test_who_interrupts_does_not_wait_for_what_is_played_just_then():
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    begun = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        with pytest.raises(KeyboardInterrupt):
            next(play_all(range(8), Setting(story="contest")))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - begun < 20, "one such story takes a minute and more"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--seeds 0", "tools.simulate: --seeds: expected 1 or more, found 0"),
        ("--record x.trace", "tools.simulate: --record: expected --seed=NUMBER beside it"),
        ("--seed 1 --record /nowhere/x", "tools.simulate: --record: /nowhere/x cannot be written: No such file"),
        (
            "--plant weeds",
            "tools.simulate: --plant: expected none or lost-retry or lost-update or renamed-id or double-offer",
        ),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(arguments: str, told: str):
    command = [sys.executable, "-m", "tools.simulate", *arguments.split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(told)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "plot"),
    [
        ("true", Plot()),
        ("false", Plot(status=1 << 8)),
        ("./anything --at all", Plot()),
        ("sleep 5", Plot(5.0)),
        ("sleep 1.5; sleep 2 && exit 3; sleep 9", Plot(3.5, 3 << 8)),
        ("sleep infinity", Plot(float("inf"))),
        ("trap '' TERM; sleep 2", Plot(2.0, ignores_sigterm=True)),
    ],
)
def test_commands_are_a_few_words_of_shell(command: str, plot: Plot):
    assert read_command(CommandInfo(command)) == plot
