"""Playing: many seeds, over all processors."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from libprocess.recording import BoundedFile
from libprocess.simulation import UnsettledError
from tools.simulate.audit import BrokenPromiseError
from tools.simulate.contest import Contest
from tools.simulate.plants import PLANTS
from tools.simulate.steps import Steps
from tools.simulate.story import Setting, Story

STORIES: dict[str, type[Story] | type[Contest]] = {"lives": Story, "contest": Contest, "steps": Steps}

TAIL_EVENTS = 30

RECORDING_BYTES = 1 << 30


@dataclass(frozen=True)
class Outcome:
    """How a story ended."""

    seed: int
    digest: str
    """Of everything that happened."""
    seconds: float
    """Of virtual time."""
    tasks: int
    broken: str = ""
    """The promise that was broken; empty if none was."""
    tail: tuple[str, ...] = ()
    """The last events before that."""


def play(seed: int, setting: Setting, plant: str = "none", recording: Path | None = None) -> Outcome:
    """Play one story, with a planted bug if one is named; and record all that happens in it."""
    logging.disable(logging.CRITICAL)  # trouble is what a story is about, and 20 agents complain at length
    try:
        with PLANTS[plant]():
            sink = BoundedFile(recording, RECORDING_BYTES) if recording else None
            return _play(seed, STORIES[setting.story](seed, setting, sink))
    finally:
        logging.disable(logging.NOTSET)


def _play(seed: int, story: Story | Contest) -> Outcome:
    broken, tail = "", list[str]()
    try:
        story.play()
    except (BrokenPromiseError, UnsettledError) as error:
        broken, tail = str(error), story.cluster.journal.tail(TAIL_EVENTS)
    cluster = story.cluster
    cluster.journal.flush()
    return Outcome(seed, cluster.digest(), cluster.elapsed, story.tasks, broken, tuple(tail))


def play_all(seeds: Iterable[int], setting: Setting, plant: str = "none") -> Iterator[Outcome]:
    """Play stories, as many at a time as there are processors; outcomes come in the order of seeds.

    Who has seen enough, or interrupts, does not wait for those that are played just then.
    """
    others = set(multiprocessing.active_children())
    ignore_interrupts = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(os.cpu_count(), initializer=ignore_interrupts) as pool:
        try:
            yield from pool.map(partial(play, setting=setting, plant=plant), seeds)
        except BaseException:
            for player in set(multiprocessing.active_children()) - others:
                player.kill()
            pool.shutdown(cancel_futures=True)
            raise
