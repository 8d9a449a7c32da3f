"""What is remembered of tasks that ended: by the master, and by the file in its work_dir."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from libprocess import PID
from libprocess.http.exchange import HttpResponseMessage
from master.history.query import Query
from master.history.sqlite import FILE, SqliteTaskHistory
from mesos.ids import AgentID, FrameworkID, TaskID
from mesos.messages import (
    ReportEndedTasksMessage,
    RunTaskMessage,
    StatusUpdateMessage,
    UnregisterAgentMessage,
    UnregisterFrameworkMessage,
)
from mesos.resources import Resources
from mesos.types import Reason, StatusUpdate, TaskEnding, TaskState, TaskStatus
from mesos.types.history import EndedTask
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, task_on

EXIT_3, KILLED = 3 << 8, 9


def history(scene: Scene, **asked: str) -> list[dict[str, Any]]:
    answer = scene.get("/history", query=tuple(asked.items()))
    tasks: list[dict[str, Any]] = json.loads(answer.body)["tasks"]
    return tasks


# The master.


def test_it_is_remembered_how_a_task_ended(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    status = TaskStatus(
        task.task_id, TaskState.TASK_FAILED, agent.id, message="Command exited", reason=None, timestamp=7.0, uuid=b"u"
    )
    ending = TaskEnding(EXIT_3, 5 << 20, "no such file")
    agent.say(StatusUpdateMessage(StatusUpdate(scheduler.id, status, agent.id, ending=ending)))

    (found,) = history(scene, framework="tests", state="failed")
    assert (found["id"], found["hostname"], found["message"]) == ("t1", agent.info.hostname, "Command exited")
    assert (found["exit_status"], found["signal"], found["last_lines"]) == (3, None, "no such file")
    assert (found["peak_memory_bytes"], found["ended"]) == (5 << 20, 7.0)
    assert scheduler.last(StatusUpdateMessage).update.ending is None  # is not the scheduler's


def test_what_the_master_ends_itself_is_remembered(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    first, second = scheduler, scene.scheduler().register()
    first.launch(task_on(first.offer(), "t1"))
    second.launch(task_on(second.offer(), "t2"))
    first.say(UnregisterFrameworkMessage(first.id))
    agent.say(UnregisterAgentMessage(agent.id))

    assert {task["id"]: (task["state"], task["reason"]) for task in history(scene)} == {
        "t1": ("TASK_KILLED", "REASON_FRAMEWORK_REMOVED"),
        "t2": ("TASK_LOST", "REASON_AGENT_REMOVED"),
    }


def test_an_agent_tells_a_new_master_what_ended_before_it_came(scene: Scene, agent: AgentPeer):
    mine = EndedTask(FrameworkID("F"), TaskID("t1"), agent.id, TaskState.TASK_FINISHED, 5.0)
    others = EndedTask(FrameworkID("F"), TaskID("t2"), AgentID("else"), TaskState.TASK_FINISHED, 5.0)
    agent.say(ReportEndedTasksMessage((mine, others)))

    assert [task["id"] for task in history(scene)] == ["t1"]


def test_a_new_master_shows_what_ended_before_it_came(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    over = scene.scheduler().register()
    over.say(UnregisterFrameworkMessage(over.id))
    agent_id, ids = agent.id, (scheduler.id, over.id)
    scene.restart_master()
    agent.reregister(agent_id)
    scheduler.reregister(ids[0])
    scene.get("/state")  # there is a snapshot
    given = Resources.parse("cpus:1").allocate("*")
    tasks = tuple(
        EndedTask(id_, TaskID("t1"), agent_id, TaskState.TASK_FAILED, 5.0, "one", resources=given) for id_ in ids
    )
    agent.say(ReportEndedTasksMessage(tasks))
    agent.say(ReportEndedTasksMessage(tasks))

    state, summary = json.loads(scene.get("/state").body), json.loads(scene.get("/state-summary").body)
    for framework in (*state["frameworks"], *state["completed_frameworks"]):
        (task,) = framework["completed_tasks"]
        assert (task["id"], task["state"], task["role"], task["resources"]["cpus"]) == ("t1", "TASK_FAILED", "*", 1)
        assert [status["timestamp"] for status in task["statuses"]] == [5.0]
    assert summary["slaves"][0]["TASK_FAILED"] == 2


def test_a_task_that_ended_twice_is_there_once(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer()))
    framework_id = agent.last(RunTaskMessage).framework.id
    assert framework_id is not None
    agent.update(TaskID("t1"), TaskState.TASK_FINISHED)
    agent.say(ReportEndedTasksMessage((EndedTask(framework_id, TaskID("t1"), agent.id, TaskState.TASK_FINISHED, 5.0),)))

    assert len(history(scene)) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("since", "yesterday"), ("limit", "-1"), ("offset", "inf"), ("until", "nan")]
)
def test_a_number_that_makes_no_sense_is_refused(scene: Scene, name: str, value: str):
    answer = scene.get("/history", query=((name, value),))
    assert answer.status == 400
    assert answer.body.decode() == f"expected {name} to be a number of at least 0, found '{value}'"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("state", "faild", "there is no state 'faild' of a task; did you mean failed?"),
        ("reason", "hunger", "there is no reason 'hunger' of a task"),
    ],
)
def test_a_name_that_there_is_not_is_refused(scene: Scene, name: str, value: str, told: str):
    answer = scene.get("/history", query=((name, value),))
    assert (answer.status, answer.body.decode()) == (400, told)


# The file.

ASKER = PID("asker", "host", 1)
NOW = time.time()


class File:
    """A history of its own file, and who asks it."""

    def __init__(self, work_dir: Path) -> None:
        self.work_dir = work_dir
        self.answers: SimpleQueue[HttpResponseMessage] = SimpleQueue()
        self.open()

    def open(self, tasks_max: int = 10_000, age_seconds: float = 3600.0) -> None:
        send = lambda to, answer: self.answers.put(answer)  # noqa: E731
        self.history = SqliteTaskHistory(self.work_dir, send, tasks_max, age_seconds)

    def record(self, *names: str, ended: float = NOW, **fields: Any) -> None:
        for name in names:
            fields = {"state": TaskState.TASK_FAILED, "framework_name": "f", **fields}
            ids = FrameworkID("F"), TaskID(name), AgentID("A")
            self.history.record(EndedTask(*ids, ended=ended, **fields))

    def find(self, **asked: Any) -> dict[str, Any]:
        self.history.find(ASKER, Query(**asked))
        answer: dict[str, Any] = json.loads(self.answers.get(timeout=30).response.body)
        return answer

    def names(self, **asked: Any) -> list[str]:
        return [task["id"] for task in self.find(**asked)["tasks"]]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    file = File(tmp_path)
    yield file
    file.history.close()


def test_the_file_outlives_the_program(file: File):
    file.record("t1", reason=Reason.REASON_CONTAINER_LIMITATION_MEMORY, ending=TaskEnding(KILLED, 64 << 20, "…"))
    file.history.close()
    file.open()
    (task,) = file.find()["tasks"]
    assert (task["id"], task["signal"], task["reason"]) == ("t1", 9, "REASON_CONTAINER_LIMITATION_MEMORY")


def test_tasks_are_found_by_what_is_known_of_them(file: File):
    file.record("old", ended=NOW - 60)
    lost = {"state": TaskState.TASK_LOST, "reason": Reason.REASON_AGENT_REMOVED, "message": "agent A is gone"}
    file.record("odd", name="x", **lost)
    file.record("new", ended=NOW + 1, ending=TaskEnding(EXIT_3, None, "Traceback"))
    assert file.names() == ["new", "odd", "old"]
    assert file.names(state="TASK_LOST") == file.names(task="x") == file.names(text="is gone") == ["odd"]
    assert file.names(reason="REASON_AGENT_REMOVED", framework="f", agent="A") == ["odd"]
    assert file.names(text="Trace") == ["new"]
    assert file.names(since=NOW - 1, until=NOW) == ["odd"]
    assert file.names(framework="g") == []
    assert file.names(may_be_seen=lambda task: task.task_id == "old") == ["old"]


def test_tasks_are_shown_page_by_page(file: File):
    file.record(*(f"t{number}" for number in range(5)))
    pages = [file.find(limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [[task["id"] for task in page["tasks"]] for page in pages] == [["t0", "t1"], ["t2", "t3"], ["t4"]]
    assert [page["next_offset"] for page in pages] == [2, 4, None]


def test_the_oldest_are_forgotten_beyond_a_number_or_an_age(file: File):
    file.history.close()
    file.open(tasks_max=10)
    file.record("ancient", ended=NOW - 7200)
    for number in range(1000):
        file.record(f"t{number}", ended=NOW + number)
    names = file.names(limit=1000)
    assert names[0] == "t999"
    assert len(names) < 100
    assert "ancient" not in names


def test_a_damaged_file_is_put_aside(file: File, caplog: pytest.LogCaptureFixture):
    file.history.close()
    (file.work_dir / FILE).write_bytes(b"no database " * 1000)
    file.open()
    file.record("t1")
    assert file.names() == ["t1"]
    assert (file.work_dir / "history.damaged").exists()
    assert "is moved to" in caplog.text
