"""What an agent writes down is there again after any crash: torn ends are cut, damage is told, change is noticed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from msgspec.structs import replace

from agent.checkpoints.facts import AcknowledgedFact, AnyFact, EndedFact, FrameworkFact
from agent.checkpoints.identity import (
    Policy,
    forget_agent,
    forget_if_changed,
    is_other_boot,
    known_agent,
    reconfigured,
    remember_agent,
    remember_boot,
)
from agent.checkpoints.journal import DamagedJournalError, Journal
from agent.checkpoints.replay import Replay, facts_of
from agent.records.framework import Frameworks
from agent.records.updates import Streams
from libprocess.simulation.storage import PowerLostError, SimStorage
from mesos.attributes import parse_attributes
from mesos.ids import AgentID, ContainerID, TaskID
from mesos.messages import ShutdownFrameworkMessage
from mesos.resources import Resources
from mesos.types import AgentInfo, DomainInfo, FaultDomain
from tests.agent.cluster import FRAMEWORK, Cluster, command_task, executor_task, kept

PATH = "agents/A1/journal"
ENTRIES: list[list[AnyFact]] = [
    [EndedFact(ContainerID("c1"))],
    [EndedFact(ContainerID("c2")), AcknowledgedFact(FRAMEWORK, TaskID("t1"), b"u1")],
    [EndedFact(ContainerID("c3"))],
]
FACTS = [fact for entry in ENTRIES for fact in entry]
INFO = AgentInfo("host", AgentID("A1"), resources=Resources.of(cpus=4), attributes=parse_attributes("rack:a;level:1"))
HERE, THERE = (DomainInfo(FaultDomain(region="eu", zone=zone)) for zone in ("a", "b"))


def written() -> tuple[SimStorage, list[int]]:
    """A disk with a journal, and where its entries end."""
    storage, ends = SimStorage(), [0]
    journal = Journal(storage, PATH)
    for entry in ENTRIES:
        for fact in entry:
            journal.add(fact)
        journal.sync()
        ends.append(len(storage.read(PATH) or b""))
    return storage, ends


def read(content: bytes, strict: bool = True) -> list[AnyFact]:
    storage = SimStorage()
    storage.write(PATH, content)
    return Journal(storage, PATH).read(strict).facts


def test_a_journal_that_is_cut_anywhere_holds_all_entries_before_the_cut():
    storage, ends = written()
    content = storage.read(PATH) or b""
    for cut in range(1, len(content) + 1):
        whole = sum(end <= cut for end in ends) - 1
        assert read(content[:cut]) == [fact for entry in ENTRIES[:whole] for fact in entry]


def test_an_end_of_zeros_is_cut():
    storage, ends = written()
    content = storage.read(PATH) or b""
    assert read(content[: ends[2]] + bytes(ends[3] - ends[2])) == FACTS[:3]
    assert read(content + bytes(4096)) == FACTS


def test_damage_before_the_end_is_told_or_skipped():
    storage, ends = written()
    content = bytearray(storage.read(PATH) or b"")
    content[ends[1] + 20] ^= 0xFF
    with pytest.raises(DamagedJournalError, match=f"{PATH} is damaged at byte {ends[1]}"):
        read(bytes(content))
    storage.write(PATH, bytes(content))
    assert Journal(storage, PATH).read(strict=False) == ([FACTS[0], FACTS[3]], 1)


def test_whatever_bit_is_flipped_all_other_entries_are_found():
    storage, ends = written()
    content = storage.read(PATH) or b""
    for bit in range(ends[2] * 8):  # the last entry's end would do for a torn one
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        hit = next(place for place, end in enumerate(ends[1:]) if bit // 8 < end)
        with pytest.raises(DamagedJournalError, match=f"{PATH} is damaged at byte {ends[hit]}"):
            read(bytes(damaged))
        others = [fact for place, entry in enumerate(ENTRIES) if place != hit for fact in entry]
        assert read(bytes(damaged), strict=False) == others


@pytest.mark.parametrize("content", [None, b""])
def test_a_journal_that_is_lost_is_told_of(content: bytes | None):
    storage = SimStorage()
    Journal(storage, PATH).begin()
    assert Journal(storage, PATH).read(strict=True) == ([], 0)

    storage.remove(PATH)
    if content is not None:
        storage.write(PATH, content)
    assert Journal(storage, PATH).read(strict=False) == ([], 1)
    with pytest.raises(DamagedJournalError, match=f"{PATH} is (missing|empty)"):
        Journal(storage, PATH).read(strict=True)


def test_what_was_not_synced_may_be_torn_anywhere():
    """The kernel writes pages as it likes: a part may be missing although a later one is there."""
    storage, ends = SimStorage(), [0]
    journal = Journal(storage, PATH)
    for place, entry in enumerate(ENTRIES):
        for fact in entry:
            journal.add(fact)
        journal.write()
        if place == 0:
            journal.sync()
        ends.append(len(storage.read(PATH) or b""))
    content = bytearray(storage.read(PATH) or b"")
    content[ends[1] + 20] ^= 0xFF
    assert read(bytes(content)) == ENTRIES[0]
    content[20] ^= 0xFF
    with pytest.raises(DamagedJournalError):
        read(bytes(content))


def test_a_journal_is_written_anew_as_a_whole():
    storage, _ = written()
    journal = Journal(storage, PATH)
    journal.rewrite(FACTS[1:])
    journal.add(FACTS[0])
    journal.sync()
    assert Journal(storage, PATH).read(strict=True).facts == [*FACTS[1:], FACTS[0]]


def test_damage_behind_what_was_written_anew_is_told():
    storage = SimStorage()
    journal = Journal(storage, PATH)
    journal.rewrite(ENTRIES[1])
    end = len(storage.read(PATH) or b"")
    for entry in (ENTRIES[0], ENTRIES[2]):
        journal.add(entry[0])
        journal.sync()
    content = bytearray(storage.read(PATH) or b"")
    content[end + 20] ^= 0xFF
    with pytest.raises(DamagedJournalError, match=f"{PATH} is damaged at byte {end}"):
        read(bytes(content))


def test_a_journal_grows_only_so_far(cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agent.checkpoints.journal.REWRITE_BYTES_MIN", 10_000)
    monkeypatch.setattr("agent.checkpoints.replay.COMPLETED_KEPT", 5)
    for number in range(100):
        kept(cluster).run(command_task(f"t{number}"))
        cluster.machine.end()
        cluster.world.settle()
    assert len(cluster.node.storage.read(PATH) or b"") < 20_000


def test_records_are_the_same_after_a_replay(cluster: Cluster):
    cluster.master.acknowledges = False
    kept(cluster).run(command_task("t1"), executor_task("t2"), executor_task("t3"))
    cluster.start_program()
    facts = list(facts_of(cluster.agent.frameworks, cluster.agent.streams))
    frameworks, streams = Frameworks(1), Streams()
    Replay(frameworks, streams).play(facts)

    assert isinstance(facts[0], FrameworkFact)
    assert list(facts_of(frameworks, streams)) == facts
    assert list(Journal(cluster.node.storage, PATH).read(strict=True).facts[:1]) == facts[:1]


def test_what_a_framework_left_unfinished_when_it_was_over_stays_behind_when_it_is_here_again(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    cluster.start_program()
    cluster.tell(ShutdownFrameworkMessage(FRAMEWORK))
    cluster.machine.end()
    cluster.world.settle()
    cluster.run(command_task("t2"))
    frameworks, streams = Frameworks(9), Streams()
    Replay(frameworks, streams).play(facts_of(cluster.agent.frameworks, cluster.agent.streams))
    [framework] = frameworks
    assert [task.id for task in frameworks.tasks()] == ["t2"]
    assert not framework.owing
    assert [executor.id for executor in framework.completed_executors] == ["E1"]


def test_nothing_is_written_of_a_framework_that_does_not_care(cluster: Cluster):
    cluster.run(command_task("t1"), executor_task("t2"))
    cluster.start_program()
    assert Journal(cluster.node.storage, PATH).read(strict=True) == ([], 0)
    assert list(facts_of(cluster.agent.frameworks, cluster.agent.streams)) == [], "nor when all is written anew"


# Who it is.


def test_an_agent_is_remembered_until_it_is_forgotten():
    storage = SimStorage()
    assert known_agent(storage) is None
    remember_agent(storage, INFO)
    assert known_agent(storage) == INFO
    forget_agent(storage, AgentID("A1"))
    assert known_agent(storage) is None
    assert storage.list("agents") == []


@pytest.mark.parametrize("changes", [1, 2])
def test_an_agent_is_not_forgotten_by_half(changes: int):
    storage = SimStorage()
    remember_agent(storage, INFO)
    storage.lose_power_after(changes)
    with suppress(PowerLostError):
        forget_agent(storage, AgentID("A1"))
    assert known_agent(storage) is None


def test_another_boot_is_noticed():
    storage = SimStorage()
    assert not is_other_boot(storage, "b1")
    remember_boot(storage, "b1")
    assert not is_other_boot(storage, "b1")
    assert is_other_boot(storage, "b2")
    remember_boot(storage, "b2")
    assert not is_other_boot(storage, "b2")


@pytest.mark.parametrize(
    ("policy", "resources", "attributes", "fault"),
    [
        ("equal", "cpus:4", "rack:a;level:1", ""),
        ("equal", "cpus:5", "rack:a;level:1", "its list of resources was cpus:4, and is cpus:5 now"),
        ("equal", "cpus:4", "rack:a", "its list of attributes was rack:a;level:1, and is rack:a now"),
        ("additive", "cpus:5;mem:10", "level:1;rack:a;gpu:yes", ""),
        ("additive", "cpus:3;mem:10", "rack:a;level:1", "it had cpus:4, and has less now: cpus:3;mem:10"),
        ("additive", "cpus:4", "rack:b;level:1", "its attribute rack:a is missing now"),
    ],
)
def test_an_agent_may_change_as_its_policy_says(policy: Policy, resources: str, attributes: str, fault: str):
    given = AgentInfo("host", resources=Resources.parse(resources), attributes=parse_attributes(attributes))
    if not fault:
        assert reconfigured(INFO, given, policy) == replace(given, id=INFO.id)
        return
    with pytest.raises(ValueError, match=f"^{fault}$"):
        reconfigured(INFO, given, policy)


def test_an_agent_may_get_a_domain_and_more_of_a_range_but_keeps_what_it_had():
    ranged = replace(INFO, attributes=parse_attributes("keys:[5-9]"))
    wider = replace(ranged, attributes=parse_attributes("keys:[1-10]"), domain=HERE)
    assert reconfigured(ranged, wider, "additive") == wider
    with pytest.raises(ValueError, match="its attribute keys:\\[1-10\\] is missing now"):
        reconfigured(replace(wider, domain=None), ranged, "additive")
    for known, given, policy in ((None, HERE, "equal"), (HERE, THERE, "additive"), (HERE, None, "additive")):
        with pytest.raises(ValueError, match=r"its domain was .*, and is .* now"):
            reconfigured(replace(INFO, domain=known), replace(INFO, domain=given), policy)


def test_an_agent_that_changed_is_another_one_if_its_machine_was_started_meanwhile():
    storage, smaller = SimStorage(), replace(INFO, resources=Resources.of(cpus=2))
    remember_agent(storage, INFO)
    remember_boot(storage, "b1")
    with pytest.raises(ValueError, match="its list of resources was cpus:4"):
        forget_if_changed(storage, INFO, smaller, "equal", "b1")
    assert forget_if_changed(storage, INFO, INFO, "equal", "b2") == ""
    assert known_agent(storage) == INFO

    assert "its list of resources was cpus:4" in forget_if_changed(storage, INFO, smaller, "equal", "b2")
    assert known_agent(storage) is None
