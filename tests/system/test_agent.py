"""The agent as a program: what an operator gets wrong, and what is left when it is killed."""

from __future__ import annotations

import errno
import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from agent.checkpoints.facts import EndedFact
from agent.checkpoints.identity import journal_path, remember_agent
from agent.checkpoints.journal import Journal
from agent.work_dir import held
from libprocess.errors import OperatorError
from libprocess.system import DiskStorage
from mesos.ids import AgentID, ContainerID
from mesos.resources import Resources
from mesos.types import AgentInfo, TaskState
from tests.system.conftest import CGROUPS_ROOT
from tests.system.containers import needs_root, open_up
from tests.system.framework import Framework
from tests.system.waiting import eventually
from tools.local.cluster import LocalCluster

OPERATORS_FAULT = 2
LIMIT_SECONDS = 30.0
NOBODY = pwd.getpwnam("nobody")[2:4]


def running(word: str) -> list[int]:
    """The processes that have this word on their command line."""
    return [process.pid for process in psutil.process_iter(["cmdline"]) if word in (process.info["cmdline"] or ())]


def groups_of(work_dir: Path) -> list[Path]:
    """The control groups of the containers whose sandboxes are below a directory."""
    ids = [path.name for path in work_dir.glob("**/runs/*")]
    trees = (CGROUPS_ROOT, f"*/{CGROUPS_ROOT}")  # not everywhere: groups of others come and go meanwhile
    return [path for id_ in ids for tree in trees for path in Path("/sys/fs/cgroup").glob(f"{tree}/{id_}")]


def fails(*flags: str, before: Sequence[str] = ()) -> str:
    """What an agent says that cannot start; it must be one line."""
    command = [*before, sys.executable, "-m", "agent", "--master=127.0.0.1:1", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    assert done.returncode == OPERATORS_FAULT, done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr.strip()


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("--resources=cpus:many", "mesos-agent: --resources: cpus: expected a number"),
        ("--attributes=rack", "mesos-agent: --attributes: expected an attribute such as rack:abc, found 'rack'"),
        ("--isolation=cgroups/cup", "mesos-agent: --isolation: there is no 'cgroups/cup'; there are "),
        ("--containerizers=mesos,rkt", "mesos-agent: --containerizers: there is no 'rkt'; there are "),
        ("--launcher=windows", "mesos-agent: --launcher: expected linux or posix, found 'windows'"),
        ("--ip=0.0.0.0", "mesos-agent: --ip=0.0.0.0 is no address that others can reach; give one with --advertise_ip"),
        ("--work_dir=/proc/no", "mesos-agent: --work_dir: /proc/no cannot be made: "),
        ("--gc_delay=soon", "mesos-agent: --gc_delay: expected a duration such as 15secs"),
        (
            "--executor_reregistration_timeout=1mins",
            "mesos-agent: --executor_reregistration_timeout: expected at most 15secs, found 1mins",
        ),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path: Path, flag: str, text: str):
    assert fails(f"--work_dir={tmp_path}", "--port=0", flag).startswith(text)


def test_a_damaged_journal_is_told_with_the_remedy(tmp_path: Path):
    storage = DiskStorage(tmp_path / "meta")
    remember_agent(storage, AgentInfo("127.0.0.1", AgentID("A1"), resources=Resources.parse("cpus:1")))
    journal = Journal(storage, journal_path(AgentID("A1")))
    for container_id in ("c1", "c2"):
        journal.add(EndedFact(ContainerID(container_id)))
        journal.sync()
    path = tmp_path / "meta" / journal_path(AgentID("A1"))
    content = bytearray(path.read_bytes())
    content[20] ^= 0xFF
    path.write_bytes(content)
    assert fails(f"--work_dir={tmp_path}", "--port=0") == (
        f"mesos-agent: agents/A1/journal is damaged at byte 0 in {tmp_path}/meta; "
        "start with --strict=false to skip what is damaged"
    )


def test_a_directory_has_one_agent_at_a_time(tmp_path: Path):
    with held(str(tmp_path)):
        text = f"mesos-agent: another agent holds {tmp_path}/meta/lock; end it, or give each a --work_dir of its own"
        assert fails(f"--work_dir={tmp_path}", "--port=0") == text
    with held(str(tmp_path)):
        pass


def test_a_directory_that_cannot_be_locked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", flock)
    told = "meta/lock cannot be locked: No locks available; give a local directory"
    with pytest.raises(OperatorError, match=told), held(str(tmp_path)):
        pass


def test_nothing_is_left_of_an_agent_that_is_killed(tmp_path: Path):
    with (
        LocalCluster(tmp_path, agents=1, resources="cpus:2;mem:512") as cluster,
        Framework(cluster.address) as framework,
    ):
        task_id = framework.run("t1", "setsid sleep 4321 & trap '' TERM; sleep 4321; sleep 4321")
        framework.wait_for(task_id, TaskState.TASK_RUNNING)
        eventually(lambda: len(running("4321")) == 2)
        psutil.Process(cluster.agents[0].pid).kill()

        eventually(lambda: running("4321") == [])
        eventually(lambda: groups_of(tmp_path) == [])


# As CI's interpreter may lie in root's home: whoever is nobody may read everything, and do no more than nobody.
AS_NOBODY = (
    *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
)


@needs_root
@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("--launcher=linux", "mesos-agent: --launcher=linux makes namespaces, which takes root; "),
        ("--isolation=namespaces/pid", "mesos-agent: --isolation: namespaces/pid does not work on this machine: it "),
    ],
)
def test_what_takes_root_is_told_without_root(tmp_path: Path, flag: str, text: str):
    open_up(tmp_path)
    os.chown(tmp_path, *NOBODY)
    assert fails(f"--work_dir={tmp_path}", "--port=0", flag, before=AS_NOBODY).startswith(text)


@needs_root
def test_without_root_an_agent_says_what_it_cannot_do_and_runs_all_the_same(tmp_path: Path):
    open_up(tmp_path)
    with LocalCluster(tmp_path, agents=0) as cluster, Framework(cluster.address) as framework:
        work_dir = tmp_path / "nobodys"
        work_dir.mkdir()
        os.chown(work_dir, *NOBODY)
        flags = (f"--master={cluster.address}", "--port=0", f"--work_dir={work_dir}", "--resources=cpus:2;mem:512")
        command = [*AS_NOBODY, sys.executable, "-m", "agent", *flags]
        agent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        task_id = framework.run("t1", "id -un")
        framework.wait_for(task_id, TaskState.TASK_FINISHED)
        agent.terminate()
        _, said = agent.communicate(timeout=LIMIT_SECONDS)

    assert "not run by root: containers have no limits of cpus, memory and processes, see each other" in said
    assert said.splitlines()[-1].endswith("INFO agent: told to end")
    assert [path.read_text() for path in work_dir.glob("**/runs/*/stdout")] == ["nobody\n"]
