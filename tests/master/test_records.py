"""The records agree with each other, whatever happens to them in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from libprocess.pid import PID
from master.records import AgentRecord, Cluster, TaskRecord
from master.records.cluster import History
from master.records.holdings import Holdings
from mesos.ids import AgentID, ExecutorID, FrameworkID, TaskID
from mesos.resources import Resources
from mesos.types import AgentInfo, ExecutorInfo, Offer, StatusUpdate, Task, TaskState, TaskStatus
from tests.master.scene import framework_info

STATES = st.sampled_from([TaskState.TASK_RUNNING, TaskState.TASK_FINISHED, TaskState.TASK_FAILED])
CPUS = st.integers(1, 4).map(lambda cpus: Resources.of(cpus=cpus).allocate("*"))


class Books(RuleBasedStateMachine):
    """Tasks, executors and offers come and go on two agents, of two frameworks."""

    new_cluster: type[Cluster] = Cluster

    @initialize()
    def begin(self) -> None:
        self.cluster = self.new_cluster("m", History(2, completed_tasks_max=3, unreachable_tasks_max=3))
        self.serial = 0
        for number in range(2):
            self._add_agent(AgentID(f"m-S{number}"))
            id_ = FrameworkID(f"m-{number}")
            self.cluster.add_framework(id_, framework_info(id=id_), PID("s", "host", number), 0.0)

    def _add_agent(self, id_: AgentID) -> None:
        pid = PID(f"agent-{id_}", "host", 1)
        self.cluster.add_agent(AgentRecord(id_, pid, AgentInfo("host", id_), "1", (), pid, 0.0))

    def _new(self) -> str:
        self.serial += 1
        return str(self.serial)

    def _some_task(self, data: st.DataObject) -> TaskRecord:
        tasks = [task for agent in self.cluster.agents.values() for task in agent.tasks.values()]
        return data.draw(st.sampled_from(tasks))

    @rule(data=st.data(), resources=CPUS)
    def launch(self, data: st.DataObject, resources: Resources) -> None:
        framework_id = data.draw(st.sampled_from(sorted(self.cluster.frameworks)))
        agent_id = data.draw(st.sampled_from(sorted(self.cluster.agents)))
        task = Task(TaskID(self._new()), framework_id, agent_id, TaskState.TASK_STAGING, resources=resources)
        self.cluster.add_task(TaskRecord(task, 0.0))

    @precondition(lambda self: any(agent.tasks for agent in self.cluster.agents.values()))
    @rule(data=st.data(), state=STATES, latest=st.none() | STATES)
    def update(self, data: st.DataObject, state: TaskState, latest: TaskState | None) -> None:
        task = self._some_task(data)
        held, had_ended = task.resources, task.ended
        status = TaskStatus(task.task_id, state, task.agent_id)
        freed = self.cluster.update_task(task, StatusUpdate(task.framework_id, status, latest_state=latest))
        assert freed == (held if task.ended and not had_ended else Resources())

    @precondition(lambda self: any(agent.tasks for agent in self.cluster.agents.values()))
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.cluster.remove_task(self._some_task(data))

    @precondition(lambda self: any(agent.tasks for agent in self.cluster.agents.values()))
    @rule(data=st.data(), state=st.sampled_from([TaskState.TASK_UNREACHABLE, TaskState.TASK_LOST]))
    def lose(self, data: st.DataObject, state: TaskState) -> None:
        task = self._some_task(data)
        self.cluster.lose_task(task, StatusUpdate(task.framework_id, TaskStatus(task.task_id, state)))

    @rule(data=st.data(), resources=CPUS)
    def start_executor(self, data: st.DataObject, resources: Resources) -> None:
        framework_id = data.draw(st.sampled_from(sorted(self.cluster.frameworks)))
        agent_id = data.draw(st.sampled_from(sorted(self.cluster.agents)))
        self.cluster.add_executor(framework_id, agent_id, ExecutorInfo(ExecutorID(self._new()), resources=resources))

    @precondition(lambda self: any(agent.executors for agent in self.cluster.agents.values()))
    @rule(data=st.data())
    def end_executor(self, data: st.DataObject) -> None:
        there = [(agent.id, *key) for agent in self.cluster.agents.values() for key in agent.executors]
        agent_id, framework_id, executor_id = data.draw(st.sampled_from(there))
        self.cluster.remove_executor(framework_id, agent_id, executor_id)

    @rule(data=st.data(), resources=CPUS)
    def offer(self, data: st.DataObject, resources: Resources) -> None:
        framework_id = data.draw(st.sampled_from(sorted(self.cluster.frameworks)))
        agent_id = data.draw(st.sampled_from(sorted(self.cluster.agents)))
        self.cluster.add_offer(Offer(self.cluster.new_offer_id(), framework_id, agent_id, "host", "*", resources))

    @precondition(lambda self: self.cluster.offers)
    @rule(data=st.data())
    def end_offer(self, data: st.DataObject) -> None:
        self.cluster.remove_offer(data.draw(st.sampled_from(list(self.cluster.offers.values()))))

    @invariant()
    def the_books_are_the_sum_of_what_runs(self) -> None:
        for agent in self.cluster.agents.values():
            tasks = [task.resources for task in agent.tasks.values() if task.holds_resources]
            executors = [executor.resources for executor in agent.executors.values()]
            assert agent.used.total() == Resources.sum([*tasks, *executors])
            for framework in self.cluster.frameworks.values():
                assert agent.used.of(framework.id) == framework.used.of(agent.id)

    @invariant()
    def agents_and_frameworks_know_the_same(self) -> None:
        agents, frameworks = self.cluster.agents.values(), self.cluster.frameworks.values()
        for kind in ("tasks", "executors", "offers"):
            by_agent = sorted(id(each) for agent in agents for each in getattr(agent, kind).values())
            by_framework = sorted(id(each) for framework in frameworks for each in getattr(framework, kind).values())
            assert by_agent == by_framework

    @invariant()
    def tasks_are_counted_by_state(self) -> None:
        states = [task.state for agent in self.cluster.agents.values() for task in agent.tasks.values()]
        assert {state: count for state, count in self.cluster.task_states.items() if count} == {
            state: states.count(state) for state in states
        }

    @invariant()
    def the_past_is_bounded(self) -> None:
        for framework in self.cluster.frameworks.values():
            assert len(framework.completed_tasks) <= 3
            assert len(framework.unreachable_tasks) <= 3


TestBooks = Books.TestCase


def test_a_task_keeps_the_last_status_of_each_state():
    task = TaskRecord(Task(TaskID("t"), FrameworkID("f"), AgentID("a"), TaskState.TASK_STAGING), 0.0)
    for number, state in enumerate(
        [TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_RUNNING, TaskState.TASK_KILLED]
    ):
        status = TaskStatus(TaskID("t"), state, timestamp=float(number), data=b"secret", uuid=b"u")
        task.update(StatusUpdate(FrameworkID("f"), status))

    assert [(status.state, status.timestamp, status.data) for status in task.statuses] == [
        (TaskState.TASK_STARTING, 0.0, b""),
        (TaskState.TASK_RUNNING, 2.0, b""),
        (TaskState.TASK_KILLED, 3.0, b""),
    ]


def test_who_holds_nothing_is_not_in_the_books():
    books: Holdings[str] = Holdings()
    books.add("a", Resources.of(cpus=1))
    books.take("a", Resources.of(cpus=1))

    assert books.of("a") == books.total() == Resources()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.booleans()), max_size=40), st.integers(1, 9))
def test_what_all_hold_is_the_sum_of_what_each_holds(changes: list[tuple[str, int, bool]], often: int):
    books: Holdings[str] = Holdings()
    parts = [Resources.parse(f"cpus:{1 + number};ports:[{number}-{number + 2}]") for number in range(6)]
    for count, (holder, part, is_more) in enumerate(changes):
        if is_more:
            books.add(holder, parts[part])
        elif books.of(holder).contains(parts[part]):
            books.take(holder, parts[part])
        if count % often == 0:
            assert books.total() == Resources.sum(map(books.of, "abc"))
    assert books.total() == Resources.sum(map(books.of, "abc"))


def test_ids_are_never_given_twice():
    cluster = Cluster("m", History())

    assert len({cluster.new_offer_id() for _ in range(100)}) == 100
    assert cluster.gave(cluster.new_agent_id())
    assert not cluster.gave("other-S0")
    assert not cluster.gave("m")
