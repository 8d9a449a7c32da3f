"""Several masters and a real ZooKeeper ensemble: one leads, and when it dies or hangs, another takes over."""

from __future__ import annotations

import asyncio
import getpass
import http.client
import json
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from kazoo.client import KazooClient
from kazoo.exceptions import NoAuthError
from kazoo.security import make_digest_acl

from libprocess.pid import PID
from mesos.detector import parse_master
from mesos.detector.zookeeper import parse_zookeeper
from mesos.detector.zookeeper.group import enter
from mesos.detector.zookeeper.session import Session
from mesos.ids import TaskID
from mesos.types import MasterInfo, TaskState
from tests.system.clients.environment import PYMESOS, client_python
from tests.system.framework import Framework, processes_with
from tests.system.masters import Masters
from tests.system.programs import finished
from tests.system.test_http_clients import PROGRAMS, run
from tests.system.waiting import eventually
from tests.system.zookeeper import ZooKeeper

SECRET = "xyzzy-plugh"
FAILED = 1
OPERATORS_FAULT = 2


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeper]:
    with ZooKeeper(tmp_path_factory.mktemp("zookeeper")) as zookeeper:
        yield zookeeper


@pytest.fixture
def marker(tmp_path: Path) -> str:
    """A length of sleep in seconds that no other process has, so that a task can be found among all processes."""
    return f"600.{abs(hash(tmp_path)) % 10**9:09}"


def answer(masters: Masters, number: int, path: str) -> tuple[int, str]:
    """Status and Location of a master's answer."""
    connection = http.client.HTTPConnection(*masters.addresses[number], timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, response.getheader("Location", "")


def entries(client: KazooClient, path: str) -> list[str]:
    """The names of those who would lead; the registry stands beside them."""
    return [name for name in client.get_children(path) if name != "registry"]


def sleeping(marker: str) -> Callable[[], set[int]]:
    """The processes of the tasks."""
    return lambda: {process.pid for process in processes_with(f"sleep {marker}") if process.name() == "sleep"}


# Failovers.


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=lambda number: number.name)
def test_another_master_leads_and_all_come_back_with_their_tasks(
    zookeeper: ZooKeeper, tmp_path: Path, marker: str, number: signal.Signals
):
    url = zookeeper.url(f"failover/{number.name}")
    tasks = sleeping(marker)
    with Masters(tmp_path, url) as masters:
        first = masters.await_leader()
        masters.await_agents(first)
        masters.send(first, "PUT", "/weights", [{"role": "eng", "weight": 2.5}])
        with Framework(parse_master(url), failover_timeout_seconds=600.0) as framework:
            for task_id in ("a", "b", "c"):
                framework.run(task_id, f"sleep {marker}", "cpus:0.8;mem:32")
            for task_id in ("a", "b", "c"):
                framework.wait_for(task_id, TaskState.TASK_RUNNING)
            eventually(lambda: len(tasks()) == 3, "the tasks sleep")
            before = tasks()

            masters.masters[first].signal(number)

            second = masters.await_leader(other_than=first)
            masters.await_agents(second)
            framework.wait_until(lambda: framework.registrations == 2, "the scheduler is back")
            eventually(lambda: masters.metric(second, "master/tasks_running") == 3, "the tasks are known")
            assert tasks() == before

            if number is signal.SIGSTOP:
                masters.masters[first].signal(signal.SIGCONT)
            eventually(lambda: masters.masters[first].exit_code is not None, "who led before has ended")
            assert masters.masters[first].exit_code == (FAILED if number is signal.SIGSTOP else -number)
            assert masters.leaders == [second]
            assert masters.get(second, "/weights") == [{"role": "eng", "weight": 2.5}]

            framework.run("d", "true")
            framework.wait_for("d", TaskState.TASK_FINISHED)
            for task_id in ("a", "b", "c"):
                framework.driver.kill_task(TaskID(task_id))
                framework.wait_for(task_id, TaskState.TASK_KILLED)
    assert not tasks()


def test_a_leader_without_zookeeper_leads_no_more(tmp_path: Path):
    with (
        ZooKeeper(tmp_path / "zookeeper") as zookeeper,
        Masters(tmp_path / "masters", zookeeper.url("alone"), masters=1, agents=0) as masters,
    ):
        masters.await_leader()
        for server in zookeeper.processes:
            server.send_signal(signal.SIGSTOP)  # nobody says that the session is over
        eventually(lambda: masters.masters[0].exit_code is not None, "the master has ended")
        assert masters.masters[0].exit_code == FAILED
        assert "ZooKeeper is out of reach" in masters.masters[0].last_words()


@pytest.mark.parametrize(("asked", "allowed"), [(0.1, 0.4), (5.0, 5.0), (3600.0, 60.0)])
def test_a_session_lasts_as_long_as_zookeeper_allows(zookeeper: ZooKeeper, asked: float, allowed: float):
    async def connect() -> float:
        session = Session(parse_zookeeper(zookeeper.url("session")), asked)
        await anext(session.changes())
        session.close()
        return session.timeout_seconds

    assert asyncio.run(asyncio.wait_for(connect(), 30)) == allowed


def test_who_has_other_credentials_is_no_candidate(zookeeper: ZooKeeper):
    async def contend(credentials: str) -> str:
        session = Session(parse_zookeeper(zookeeper.url("closed", credentials)), 6.0)
        await anext(session.changes())
        try:
            return await enter(session, MasterInfo("m", PID.parse("master@127.0.0.1:1")))
        finally:
            session.close()

    assert asyncio.run(contend(f"ann:{SECRET}")) == "json.info_0000000000"
    for other in ("ann:guess", ""):
        with pytest.raises(NoAuthError):
            asyncio.run(contend(other))


def test_a_session_that_zookeeper_has_ended_is_over(zookeeper: ZooKeeper):
    async def live() -> str:
        session = Session(parse_zookeeper(zookeeper.url("session")), 6.0)
        async for _ in session.changes():
            await asyncio.to_thread(end, session._client.client_id)
        session.close()
        return session.over

    def end(session: tuple[int, bytes]) -> None:
        """As ZooKeeper does with one that it has not heard of for too long: closed by who shares it, it is no more."""
        other = KazooClient(zookeeper.servers, client_id=session)
        other.start(30)
        other.stop()

    assert asyncio.run(asyncio.wait_for(live(), 30)) == "ZooKeeper ended the session"


def test_servers_that_do_not_answer_leave_time_for_another(zookeeper: ZooKeeper):
    """kazoo by itself waits for each of them as long as a session lasts."""

    async def connect(servers: list[str]) -> None:
        session = Session(parse_zookeeper(f"zk://{','.join(servers)}/session"), 6.0)
        await anext(session.changes())
        session.close()

    with silent_server() as one, silent_server() as another:
        servers = [one, another, zookeeper.servers.split(",")[0]]
        asyncio.run(asyncio.wait_for(connect(servers), 5))


@contextmanager
def silent_server() -> Iterator[str]:
    """The address of one that does not take connections."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, socket.create_connection(server.getsockname()):
        host, port = server.getsockname()
        yield f"{host}:{port}"


def test_a_leader_whose_entry_is_taken_away_leads_no_more(zookeeper: ZooKeeper, tmp_path: Path):
    client = zookeeper.client()
    client.create("/taken/json.info_stray", b"", makepath=True)  # which is nobody's, and in nobody's way
    with Masters(tmp_path, zookeeper.url("taken"), masters=1, agents=0) as masters:
        masters.await_leader()
        (name,) = set(entries(client, "/taken")) - {"json.info_stray"}
        client.delete(f"/taken/{name}")
        client.stop()
        eventually(lambda: masters.masters[0].exit_code is not None, "the master has ended")
        assert masters.masters[0].exit_code == FAILED


def test_who_is_told_to_end_makes_room_at_once(zookeeper: ZooKeeper, tmp_path: Path):
    with Masters(tmp_path, zookeeper.url("order"), masters=2, agents=0) as masters:
        first = masters.await_leader()
        client = zookeeper.client()
        eventually(lambda: len(entries(client, "/order")) == 2, "both are candidates")
        masters.masters[first].stop(10)
        assert masters.masters[first].exit_code == 0
        assert len(entries(client, "/order")) == 1  # it took its entry along, and left no session to time out
        client.stop()
        assert masters.await_leader(other_than=first) == 1 - first


# Those who wait, and those who look.


def test_standbys_send_on_to_the_leader(zookeeper: ZooKeeper, tmp_path: Path):
    with Masters(tmp_path, zookeeper.url("standby"), masters=2, agents=0) as masters:
        leader = masters.await_leader()
        standby, page = 1 - leader, f"//{masters.addresses[leader]}"
        eventually(lambda: masters.metric(standby, "master/elected") == 0, "the standby serves")
        eventually(lambda: answer(masters, standby, "/state")[0] == 307, "the standby knows the leader")

        assert answer(masters, standby, "/master/state?a=b%20c") == (307, f"{page}/master/state?a=b+c")
        assert answer(masters, standby, "/redirect") == (307, page)
        assert answer(masters, standby, "/health") == (200, "")
        assert masters.get(standby, "/master/pid") == masters.get(leader, "/master/pid")  # so --master may name either
        for place in (masters.addresses[standby], zookeeper.url("standby")):
            asked = finished("tools.cli", "history", f"--master={place}", "--json")
            assert (asked.returncode, json.loads(asked.stdout)["tasks"]) == (0, []), asked.stderr


def test_without_a_leader_a_standby_says_so(tmp_path: Path):
    nowhere = "zk://127.0.0.1:1/mesos"
    with Masters(tmp_path, nowhere, masters=1, agents=0) as masters:
        eventually(lambda: masters.metric(0, "master/elected") == 0, "it serves")
        assert answer(masters, 0, "/state") == (503, "")
        assert answer(masters, 0, "/redirect") == (503, "")


def test_others_find_the_leader_and_nobody_the_credentials(zookeeper: ZooKeeper, tmp_path: Path):
    url = zookeeper.url("secret/mesos", f"ann:{SECRET}")
    with Masters(tmp_path, url, masters=1, agents=1, flags=("--logging_level=DEBUG",)) as masters:
        masters.await_leader()
        masters.await_agents(0)
        client = zookeeper.client()  # which is not ann
        (name,) = entries(client, "/secret/mesos")
        entry = json.loads(client.get(f"/secret/mesos/{name}")[0])
        for change in (client.delete, partial(client.set, value=b""), partial(client.create, sequence=True)):
            with pytest.raises(NoAuthError):
                change(f"/secret/mesos/{name}")
        client.stop()
        shown = json.dumps([masters.get(0, path) for path in ("/state", "/flags")])
        said = "".join(daemon.log.read_text() for daemon in (*masters.masters, *masters.agents))

        port = masters.addresses[0].port
        assert name == "json.info_0000000000"
        assert entry["address"] == {"hostname": "127.0.0.1", "ip": "127.0.0.1", "port": port}
        assert (entry["pid"], entry["ip"], entry["port"]) == (f"master@127.0.0.1:{port}", 0x0100007F, port)
        assert entry["id"] == masters.get(0, "/state")["id"]
        assert PID.parse(entry["mesolite_pid"]) == PID.parse(masters.get(0, "/pid")["pid"])
        assert "zk://***@127.0.0.1" in shown
        assert SECRET not in shown + said


def test_programs_find_the_leader_by_a_file_with_the_url(zookeeper: ZooKeeper, tmp_path: Path):
    url = zookeeper.url("file")
    (tmp_path / "url").write_text(f"{url}\n")
    with Masters(tmp_path / "masters", url, masters=1, agents=1) as masters:
        masters.await_agents(masters.await_leader())
        done = finished("mesos-run", f"--master=file://{tmp_path}/url", "--follow", "--cpus=0.1", "--command=echo hi")
        assert (done.returncode, done.stdout) == (0, "hi\n")


@pytest.mark.timeout(300)  # the first run makes the client's environment, from the package registry
def test_pymesos_finds_the_leader_by_the_url(zookeeper: ZooKeeper, tmp_path: Path):
    url = zookeeper.url("pymesos")
    with Masters(tmp_path, url, masters=2, agents=1) as masters:
        leader = masters.await_leader()
        masters.await_agents(leader)
        executor = f"{client_python(PYMESOS)} {PROGRAMS / 'pymesos_executor.py'}"
        heard = run(PYMESOS, "pymesos_scheduler.py", url, executor, getpass.getuser())
        assert heard["states"]["good"][-1] == "TASK_FINISHED"


# The operator's mistakes.


def test_a_master_that_may_not_write_to_zookeeper_ends_and_says_what_it_lacks(zookeeper: ZooKeeper, tmp_path: Path):
    client = zookeeper.client()
    client.create("/owned", acl=[make_digest_acl("ann", SECRET, all=True)])
    client.stop()
    done = finished("mesos-master", f"--work_dir={tmp_path}", "--port=0", f"--zk={zookeeper.url('owned', 'ann:guess')}")
    assert done.returncode == OPERATORS_FAULT
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("mesos-master: ")]
    assert told.startswith("mesos-master: --zk: ZooKeeper lets nobody write at zk://***@127.0.0.1")
    assert told.endswith("give the user and the password of that, as zk://user:password@…, or another path")


@pytest.mark.parametrize("program", ["mesos-master", "mesos-agent"])
def test_a_url_of_a_wrong_form_is_told_in_one_line(tmp_path: Path, program: str):
    flag = "zk" if program == "mesos-master" else "master"
    done = finished(program, f"--work_dir={tmp_path}", f"--{flag}=zk://ann:{SECRET}@127.0.0.1:2181")
    assert done.returncode == OPERATORS_FAULT
    assert done.stderr == (
        f"{program}: --{flag}: expected zk://[user:password@]host:port,…/path such as zk://127.0.0.1:2181/mesos, "
        "found 'zk://***@127.0.0.1:2181'; --help says more\n"
    )


def test_a_zookeeper_that_is_not_there_is_told_in_one_line():
    done = finished("mesos-run", "--master=zk://127.0.0.1:1/mesos", "--command=true")
    assert done.returncode == OPERATORS_FAULT
    assert done.stderr == (
        "mesos-run: expected ZooKeeper at zk://127.0.0.1:1/mesos, nobody answers; "
        "start one with mesos-master or mesos-local, or name another with --master\n"
    )
