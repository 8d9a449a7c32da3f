"""What a soak is found to have done wrong, and the table of what was done and found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from mesos.states import terminal
from mesos.types import TaskState
from tests.system.soak.cluster import AGENTS, COMPLETED_TASKS, MASTERS
from tests.system.soak.faults import SPARED, Faults
from tests.system.soak.figures import Figures, Program
from tests.system.soak.kinds import ENDS, FAILED, KILLED
from tests.system.soak.ledger import Launch, Ledger

MEGABYTE = 1 << 20
NEVER_BEGAN = {FAILED, TaskState.TASK_DROPPED, TaskState.TASK_GONE, TaskState.TASK_LOST, TaskState.TASK_ERROR}
"""How tasks may end that are on their way while somebody is killed: launches are sent once."""

COUNT_SLACK = 8
"""By so many a program's descriptors, threads and so on may differ: ZooKeeper's client has some more at times."""

MEMORY_GROWTH_MAX = 12 * MEGABYTE
"""Of an agent that is never killed, however many tasks there are.

It begins with 58 MB, has 62 after 500 tasks of its own, 64 after 2,000 and 65 after 4,000 of one framework, 12 a
second; 3 MB of that come from the flight recorder. When each task left 5 kB to the garbage collector, it was 17 MB.
"""

MEMORY_STEADY_MAX = 7 * MEGABYTE
"""Of any program in the end, while nobody is killed: it may have been started a moment ago."""

COLUMNS = 6
"""Of the figures of so many moments the table tells."""

SIZES_MAX = {
    "completed tasks shown": COMPLETED_TASKS,
    "entries in ZooKeeper": 300,
    "bytes of the registry": 64 << 10,
    "bytes of agents' journals": AGENTS * 2 * MEGABYTE,
    "bytes of masters' histories": MASTERS * 16 * MEGABYTE,
    "bytes of flights written": 0,
    "bytes of fetched files": AGENTS * 4096,
    "files": 100,
    "directories": 100,
}


def faults_of_tasks(ledger: Ledger, hit: Collection[str], undisturbed: Collection[str]) -> list[str]:
    """The tasks that were told to have ended twice, or as they should not have; `hit` are those that were killed.

    Nobody else's process was killed while those ran that were `undisturbed`.
    """
    wrong = []
    for task, launch in ledger.launches.items():
        states = ledger.states[task]
        ends = {state for state in states if terminal(state)}
        if len(ends) != 1 or not _may_end(launch, states, ledger, task in hit, task in undisturbed):
            wrong.append(f"{task} on {launch.agent}: {list(map(str, states))}")
    return wrong


def _may_end(launch: Launch, states: list[TaskState], ledger: Ledger, is_hit: bool, is_undisturbed: bool) -> bool:
    end = ledger.end(launch.task)
    if end is ENDS[launch.kind] or (end is KILLED and launch.task in ledger.to_kill):
        return True
    if is_undisturbed:
        return False
    began = TaskState.TASK_RUNNING in states
    return (end is FAILED and (is_hit or launch.kind == "executor")) or (end in NEVER_BEGAN and not began)


def growths(shown: Sequence[Figures], steady: Sequence[Figures]) -> list[str]:
    """What has become more and more: since the first figures, and in memory during the `steady` time without faults."""
    first, last = shown[0], shown[-1]
    found = [
        f"{name}: {last.sizes[name]}, expected at most {most}"
        for name, most in SIZES_MAX.items()
        if last.sizes[name] > most
    ]
    if last.sizes["processes"] > first.sizes["processes"] + AGENTS:  # each agent has its forker by then
        found.append(f"processes: {last.sizes['processes']}, at first {first.sizes['processes']}")
    for name, program in last.programs.items():
        before = first.programs[name]
        if before.leads == program.leads:
            found += _counts_grown(name, before, program)
    found += _memory_grown(first, last, {SPARED}, MEMORY_GROWTH_MAX)
    return found + _memory_grown(steady[0], steady[-1], set(last.programs), MEMORY_STEADY_MAX)


def _counts_grown(name: str, before: Program, after: Program) -> Iterator[str]:
    if name.startswith("zookeeper"):
        return
    for what, count in after.counts.items():
        if count > before.counts[what] + COUNT_SLACK:
            yield f"{what} of {name}: {count}, at first {before.counts[what]}"
    if after.counts.get("actors_failed"):
        yield f"actors of {name} failed"


def _memory_grown(first: Figures, last: Figures, names: Collection[str], most: int) -> list[str]:
    found = []
    for name in sorted(names):
        before, after = first.programs[name], last.programs[name]
        grown = after.memory_bytes - before.memory_bytes
        if before.began == after.began and not name.startswith("zookeeper") and grown > most:
            found.append(f"memory of {name} has grown by {grown} bytes in {last.tasks - first.tasks} tasks")
    return found


# The table.


def table(ledger: Ledger, faults: Faults, shown: Sequence[Figures]) -> Iterator[str]:
    """A line each for the kinds of tasks, the faults, the programs, and what else was counted."""
    yield from _tasks(ledger)
    yield ""
    yield f"{'faults':44} {'':8}"
    yield from (f"  {fault:42} {count:8}" for fault, count in sorted(faults.done.items()))
    yield f"  {'all':42} {faults.done.total():8}"
    yield ""
    columns = _columns(shown)
    last = columns[-1]
    yield f"{'after so many tasks':44}{_row(each.tasks for each in columns)}"
    for name in sorted(last.programs):
        lives = [each.programs[name] for each in columns]
        again = "" if lives[0].began == lives[-1].began else "  started again"
        yield f"  {f'{name}: MB of memory':42}{_row(map(_megabytes, lives))}{again}"
        for what in lives[-1].counts:
            yield f"  {f'{name}: {what}':42}{_row(each.counts.get(what, 0) for each in lives)}"
    yield from (f"  {what:42}{_row(each.sizes[what] for each in columns)}" for what in last.sizes)


def _columns(shown: Sequence[Figures]) -> Sequence[Figures]:
    """The first figures, the last ones, and some between them, so that what has a limit is told from what has none."""
    steps = min(len(shown), COLUMNS) - 1
    return [shown[step * (len(shown) - 1) // steps] for step in range(steps + 1)]


def _row(counts: Iterable[int]) -> str:
    return "".join(f" {count:8}" for count in counts)


def _megabytes(program: Program) -> int:
    return program.memory_bytes // MEGABYTE


def _tasks(ledger: Ledger) -> Iterator[str]:
    ends = Counter((launch.kind, str(ledger.end(task))) for task, launch in ledger.launches.items())
    states = sorted({state for _, state in ends})
    names = "".join(f"{state.removeprefix('TASK_'):>10}" for state in states)
    yield f"{'tasks':12} {'launched':>10}{names}"
    for kind in ENDS:
        counts = [ends[kind, state] for state in states]
        yield f"  {kind:10} {sum(counts):10}{''.join(f'{count:10}' for count in counts)}"
    sums = [sum(ends[kind, state] for kind in ENDS) for state in states]
    yield f"  {'all':10} {sum(sums):10}{''.join(f'{count:10}' for count in sums)}"
