"""What a soak is found to have done wrong, and the table of what was done and found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

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

MEMORY_SLACK = 6 * MEGABYTE
MEMORY_PER_TASK = 2048
"""An agent remembers the places of its last ten thousand sandboxes, and an allocator does not give back all."""

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
    return found + _memory_grown(first, last, {SPARED}) + _memory_grown(steady[0], steady[-1], set(last.programs))


def _counts_grown(name: str, before: Program, after: Program) -> Iterator[str]:
    if name.startswith("zookeeper"):
        return
    for what, count in after.counts.items():
        if count > before.counts[what] + COUNT_SLACK:
            yield f"{what} of {name}: {count}, at first {before.counts[what]}"
    if after.counts.get("actors_failed"):
        yield f"actors of {name} failed"


def _memory_grown(first: Figures, last: Figures, names: Collection[str]) -> list[str]:
    most = MEMORY_SLACK + (last.tasks - first.tasks) * MEMORY_PER_TASK
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
    first, last = shown[0], shown[-1]
    yield f"{'after so many tasks':44} {first.tasks:8} {last.tasks:8}"
    for name in sorted(last.programs):
        before, after = first.programs[name], last.programs[name]
        again = "" if before.began == after.began else "  started again"
        yield f"  {f'{name}: MB of memory':42} {_megabytes(before):8} {_megabytes(after):8}{again}"
        for what, count in after.counts.items():
            yield f"  {f'{name}: {what}':42} {before.counts.get(what, 0):8} {count:8}"
    yield from (f"  {what:42} {first.sizes[what]:8} {size:8}" for what, size in last.sizes.items())


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
