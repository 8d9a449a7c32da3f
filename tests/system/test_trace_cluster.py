"""The trace tool on a whole cluster: every message accounted for, and the master replayed through a failover."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.programs import SECONDS, command, started
from tools.local import LocalCluster
from tools.trace.checking import Check
from tools.trace.drawing import svg
from tools.trace.drawing.chart import Chart
from tools.trace.life import Life
from tools.trace.story import Story

TASKS = 200

MAKER = """
from __future__ import annotations

from libprocess.pid import Address
from master.flags import MasterFlags
from master.master import Master
from mesos.messages import ReregisterAgentMessage

ARGUMENTS = (MasterFlags.load({flags!r}, {{}}), Address("127.0.0.1", {port}), {id!r})


class Surprising(Master):
    # It depends on what no recording tells: how many there were before.
    asked = 0

    def reregister_agent(self, message: ReregisterAgentMessage) -> None:
        type(self).asked += 1
        if self.asked != 2:
            super().reregister_agent(message)


def master():
    return Master(*ARGUMENTS)


def surprising():
    return Surprising(*ARGUMENTS)
"""


@dataclass(frozen=True)
class Recorded:
    """What a cluster left: the recordings before and after its master was killed, and how to make such a master."""

    cluster: Path
    """Where its sandboxes are, with the recordings of executors."""
    before: Path
    after: Path
    maker: Path


def batch(cluster: LocalCluster, tasks: int) -> None:
    arguments = (f"--master={cluster.address}", "--cpus=0.1", "--mem=16", "echo {}")
    lines = "".join(f"{number}\n" for number in range(tasks))
    done = subprocess.run(
        command("mesos-batch", *arguments), input=lines, capture_output=True, text=True, timeout=SECONDS
    )
    assert (done.returncode, done.stdout) == (0, lines), done.stderr


def test_what_a_cluster_did_last_is_there_without_having_been_asked_for(tmp_path: Path):
    with LocalCluster(tmp_path / "cluster", agents=2, resources="cpus:2;mem:1024") as cluster:
        batch(cluster, 5)
        done = subprocess.run(
            [sys.executable, "-m", "tools.trace", "flight", f"--master={cluster.address}", "-o", tmp_path / "last"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    assert (done.returncode, done.stdout.count("bytes of")) == (0, 3), done.stderr
    story = Story([tmp_path / "last"])
    life = Life(story, "3")
    kinds = [hop.kind for hop in life.hops]
    assert kinds.index("AcceptOffersMessage") < kinds.index("RunTaskMessage") < kinds.index("StatusUpdateMessage")
    run_task = next(hop for hop in life.hops if hop.kind == "RunTaskMessage")
    assert run_task.cause, "over two nodes it is known what led to what"


def test_a_live_cluster_is_broken_and_mended_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LIBPROCESS_TRACING", "break")
    with LocalCluster(tmp_path, agents=2, resources="cpus:2;mem:1024") as cluster:
        monkeypatch.delenv("LIBPROCESS_TRACING")  # a scheduler does not let itself be broken unless it is told to
        everywhere = f"--master={cluster.address}"
        broken("delay", everywhere, "--type=RunTaskMessage", "--by=0.1")
        broken("duplicate", everywhere, "--type=StatusUpdateMessage", "--to=master*")
        broken("expect", everywhere, "--type=StatusUpdateMessage", "--to=master*")
        batch(cluster, 3)
        told = broken("list", everywhere)
        assert re.search(r"delay by 0\.1 s RunTaskMessage .*: [1-9]\d* seen", told)
        assert re.search(r"duplicate StatusUpdateMessage .*: [1-9]\d* seen", told)
        broken("restore", everywhere)

        broken("hold", everywhere, "--type=StatusUpdateMessage", "--to=master*")
        held = started("mesos-run", f"--master={cluster.address}", "--cpus=0.1", "--mem=16", "--command=true")
        cluster.wait_until(lambda: "1 seen, 1 held" in broken("list", everywhere), "an update is held")
        assert held.poll() is None, "nobody has told it that its task ended"
        assert broken("release", everywhere).count("nothing is broken") == 3
        assert held.wait(SECONDS) == 0
        held.communicate()

        nodes = [cluster.get("/pid")["pid"], cluster.get("/slaves")["slaves"][0]["actor_pid"]]
        broken("cut", *nodes)
        cluster.wait_until(lambda: cluster.active_agents() == 1, "one of two is cut off")
        broken("heal", *nodes)
        cluster.wait_until(lambda: cluster.active_agents() == 2, "it is back")


def broken(verb: str, *arguments: str) -> str:
    """What is broken after that verb."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.trace", "break", verb, *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    directory = tmp_path_factory.mktemp("recorded")
    before, after = directory / "before", directory / "after"
    cluster = LocalCluster(directory / "cluster", agents=3, resources="cpus:2;mem:1024")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIBPROCESS_TRACING", f"record,to={before}")
        with cluster:
            batch(cluster, TASKS)
            patch.setenv("LIBPROCESS_TRACING", f"record,to={after}")
            cluster.master.signal(signal.SIGKILL)
            cluster.master.stop(0)
            cluster.start_master()
            cluster.wait_until(lambda: cluster.active_agents() == 3, "its agents registered again")
            batch(cluster, 20)
            flags, id_ = cluster.get("/flags")["flags"], cluster.get("/state")["id"]
    given = [f"--{name}={flags[name]}" for name in ("work_dir", "ip", "port", "actor_port") if flags.get(name)]
    (directory / "maker.py").write_text(MAKER.format(flags=given, port=cluster.address.port, id=id_))
    return Recorded(directory / "cluster", before, after, directory / "maker.py")


def test_every_message_of_a_cluster_is_accounted_for(recorded: Recorded):
    story = Story([recorded.before])
    check = Check(story)
    assert check.received > 10 * TASKS
    assert check.is_whole, (check.without_send[:3], check.without_cause[:3], check.unheard[:3])


def test_the_life_of_a_task_is_drawn(recorded: Recorded):
    story = Story([recorded.before])
    life = Life(story, "7")
    kinds = [hop.kind for hop in life.hops]
    assert kinds.index("AcceptOffersMessage") < kinds.index("RunTaskMessage") < kinds.index("StatusUpdateMessage")
    assert "".join(svg.draw(Chart(story, life.hops))).count("<title>") > len(kinds)


def test_executors_tell_their_part_of_it(recorded: Recorded):
    life = Life(Story([recorded.before, recorded.after, recorded.cluster]), "7")
    handed_on = [hop for hop in life.hops if hop.kind == "RunTaskMessage" and hop.to[0] != "agent"]
    assert handed_on
    assert all(hop.posted and hop.ended for hop in handed_on), "both agent and executor tell of it"
    assert all(hop.cause for hop in life.hops if hop.kind == "StatusUpdateMessage" and hop.to[0] == "master")


def replay(recorded: Recorded, directory: Path, make: str) -> subprocess.CompletedProcess[str]:
    [master] = {
        str(step.to[0]) + f"@{step.to[1]}:{step.to[2]}"
        for step in Story([directory]).steps()
        if step.kind == "spawned" and step.to[0] == "master"
    }
    return subprocess.run(
        [sys.executable, "-m", "tools.trace", "replay", master, f"maker:{make}", str(directory)],
        cwd=recorded.maker.parent,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_a_master_that_took_over_is_replayed_byte_for_byte(recorded: Recorded):
    done = replay(recorded, recorded.after, "master")
    assert re.search(r"the same: [\d,]{2,} turns, [\d,]+ messages and timers, byte for byte", done.stdout), done.stdout
    assert (
        "ReregisterAgentMessage"
        in subprocess.run(
            [sys.executable, "-m", "tools.trace", "log", str(recorded.after)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )


def test_a_master_that_does_something_else_is_found_out(recorded: Recorded):
    done = replay(recorded, recorded.after, "surprising")
    assert done.returncode == 1, done.stdout
    assert "it handles ReregisterAgentMessage(" in done.stdout
