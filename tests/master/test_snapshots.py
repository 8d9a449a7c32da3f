"""A snapshot shows at any time what the records say, however few of its pieces were made anew."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from libprocess.http.exchange import to_json
from libprocess.pid import PID
from master.flags import MasterFlags
from master.http import state, trees
from master.http.reading import PIECES_PER_TURN
from master.http.snapshot import Shapes, Snapshot, v1
from master.http.snapshot.roll import BLOCK_ITEMS, Roll
from master.http.snapshot.summary import SummarySnapshot, lists
from master.http.summary import summary
from master.http.watched import WatchedCluster
from mesos.ids import AgentID, FrameworkID
from mesos.messages import StatusUpdateMessage
from mesos.types import MasterInfo, StatusUpdate, TaskState, TaskStatus
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, framework_info, task_on
from tests.master.test_records import Books

INFO = MasterInfo("m", PID("master", "host", 1))


class Snapshots(Books):
    """What happens to records, seen from a snapshot that was there from the beginning, and from a new one."""

    new_cluster = WatchedCluster

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.early, self.v1 = self._new_snapshot(), self._new_snapshot(v1.SHAPES)
        assert isinstance(self.cluster, WatchedCluster)
        self.summary = SummarySnapshot(self.cluster)
        self.cluster.watchers += (self.summary,)

    def _new_snapshot(self, shapes: Shapes = state.SHAPES) -> Snapshot:
        assert isinstance(self.cluster, WatchedCluster)
        snapshot = Snapshot(shapes, self.cluster)
        self.cluster.watchers += (snapshot,)
        return snapshot

    @rule(data=st.data())
    def end_a_framework(self, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.cluster.frameworks)))
        framework = self.cluster.frameworks[id_]
        for offer in list(framework.offers.values()):
            self.cluster.remove_offer(offer)
        for task in list(framework.tasks.values()):
            self.cluster.remove_task(task)
        for agent_id, executor_id in list(framework.executors):
            self.cluster.remove_executor(id_, agent_id, executor_id)
        self.cluster.complete_framework(framework, 1.0)
        new = FrameworkID(f"m-new-{self._new()}")
        self.cluster.add_framework(new, framework_info(id=new), None, 2.0)

    @rule(data=st.data())
    def an_agent_is_disconnected(self, data: st.DataObject) -> None:
        self.cluster.agents[data.draw(st.sampled_from(sorted(self.cluster.agents)))].disconnect()

    @precondition(lambda self: any(not (a.tasks or a.executors or a.offers) for a in self.cluster.agents.values()))
    @rule()
    def an_idle_agent_is_another(self) -> None:
        idle = next(a for a in self.cluster.agents.values() if not (a.tasks or a.executors or a.offers))
        self.cluster.remove_agent(idle)
        self._add_agent(AgentID(f"m-S-new-{self._new()}"))

    @rule(data=st.data())
    def a_scheduler_leaves_or_comes_back(self, data: st.DataObject) -> None:
        framework = self.cluster.frameworks[data.draw(st.sampled_from(sorted(self.cluster.frameworks)))]
        framework.subscribe(framework.info, 3.0)
        self.cluster.move_framework(framework, PID("s", "elsewhere", int(self._new())))

    @invariant()
    def a_snapshot_is_what_the_records_say(self) -> None:
        late = self._new_snapshot()
        assert isinstance(self.cluster, WatchedCluster)
        self.cluster.watchers = self.cluster.watchers[:3]
        shown = state.state(self.cluster, INFO, MasterFlags(work_dir="work"), 0.0)
        assert self.cluster.inactive_agents() == sum(not agent.active for agent in self.cluster.agents.values())
        for snapshot in (self.early, late):
            while not snapshot.refresh(3):
                pass
            for name, parts in state.lists(snapshot).items():
                assert b"".join(parts) == to_json(shown[name])

    @invariant()
    def its_numbers_are_those_of_the_records(self) -> None:
        told = summary(self.cluster, INFO, None)
        for snapshot in (self.summary, SummarySnapshot(self.cluster)):
            while not snapshot.refresh(3):
                pass
            for name, parts in lists(snapshot).items():
                assert b"".join(parts) == to_json(told[name])

    @invariant()
    def the_v1_api_says_the_same_of_a_snapshot(self) -> None:
        while not self.v1.refresh(3):
            pass
        told = {"type": "GET_STATE", "get_state": trees.state(self.cluster)}
        assert msgspec.json.decode(b"".join(v1.answer("GET_STATE", self.v1))) == msgspec.json.decode(to_json(told))


TestSnapshots = Snapshots.TestCase
TestSnapshots.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


def test_a_list_keeps_its_order_and_its_blocks_full_whatever_is_taken_out():
    chance = random.Random(1)
    roll: Roll[int] = Roll(lambda number: str(number).encode())
    expected: dict[int, None] = {}
    for number in range(20 * BLOCK_ITEMS):
        roll.touch(number)
        expected[number] = None
    for _ in range(18 * BLOCK_ITEMS):
        gone = chance.choice(list(expected))
        roll.drop(gone)
        del expected[gone]
    assert roll.refresh(10**6) > 0

    parts = list(roll.parts())

    assert msgspec.json.decode(b"".join(parts)) == list(expected)
    assert len(parts) < 6


def test_only_what_has_changed_is_made_anew():
    made = []
    roll: Roll[int] = Roll(lambda number: str(made.append(number) or number).encode())
    for number in range(10 * BLOCK_ITEMS):
        roll.touch(number)
    roll.refresh(10**6)
    before, made[:] = list(roll.parts()), []

    roll.touch(5)
    roll.refresh(10**6)

    assert made == [5]
    assert [one is other for one, other in zip(before, roll.parts(), strict=True)].count(False) == 1


# Over HTTP.


def launch_many(agent: AgentPeer, scheduler: SchedulerPeer, count: int) -> list[Any]:
    tasks = [task_on(scheduler.offer(), f"t{number}", "cpus:0.001;mem:1") for number in range(count)]
    scheduler.launch(*tasks)
    return tasks


def test_a_large_state_is_read_between_other_mail(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    launch_many(agent, scheduler, 5 * PIECES_PER_TURN)

    shown = msgspec.json.decode(scene.get("/state").body)

    assert len(shown["frameworks"][0]["tasks"]) == 5 * PIECES_PER_TURN
    assert shown["slaves"][0]["used_resources"]["cpus"] == 0.001 * 5 * PIECES_PER_TURN


def test_who_has_the_state_already_is_told_so_until_something_changes(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    task = launch_many(agent, scheduler, 1)[0]
    tag = dict(scene.get("/state").headers)["ETag"]

    again = scene.get("/state", headers=(("if-none-match", tag),))
    assert (again.status, again.body, dict(again.headers)) == (304, b"", {"ETag": tag})
    assert scene.get("/slaves", headers=(("if-none-match", tag),)).status == 200

    status = TaskStatus(task.task_id, TaskState.TASK_RUNNING, agent.id, uuid=b"u")
    agent.say(StatusUpdateMessage(StatusUpdate(scheduler.id, status, agent.id)))
    changed = scene.get("/state", headers=(("if-none-match", tag),))
    [shown] = msgspec.json.decode(changed.body)["frameworks"][0]["tasks"]
    assert (changed.status, shown["state"]) == (200, "TASK_RUNNING")


def test_two_masters_never_have_the_same_tag(scene: Scene):
    tag = dict(scene.get("/state").headers)["ETag"]
    scene.restart_master()

    assert scene.get("/state", headers=(("if-none-match", tag),)).status == 200
