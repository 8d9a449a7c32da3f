"""Isolators on a real kernel, each for itself: what it keeps a container from, and what it lets it do."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.forker import kernel
from agent.forker.groups import make, remove
from agent.forker.plan import Plan
from agent.isolators.cgroups.groups import Groups
from agent.isolators.cgroups.memory import MemoryIsolator
from agent.isolators.cgroups.pressure import stalls
from agent.isolators.choice import FOR_USERS, ISOLATORS, Settings, choose
from agent.isolators.logs import KEPT, LogRotation, rotate
from agent.isolators.network import NetworkUsage
from agent.ports import ContainerConfig
from libprocess.errors import OperatorError
from mesos.ids import ContainerID
from mesos.resources import Ranges, Resource, Resources
from mesos.resources.kind import VolumeMode
from mesos.types import (
    CommandInfo,
    ContainerInfo,
    ContainerType,
    LinuxInfo,
    Reason,
    RLimit,
    Volume,
    VolumeSource,
    VolumeSourceType,
)
from tests.system.containers import (
    CGROUPS,
    LIMIT_SECONDS,
    Containers,
    measure,
    needs_root,
    open_up,
    play,
    written,
)
from tests.system.waiting import POLL_SECONDS, eventually_here
from tools.local.cluster import free_ports

MEGABYTE = 1 << 20
LOG_BYTES_MAX = 100_000


def mesos_container(
    linux: LinuxInfo | None = None, rlimits: tuple[RLimit, ...] = (), volumes: tuple[Volume, ...] = ()
) -> ContainerInfo:
    return ContainerInfo(ContainerType.MESOS, volumes=volumes, linux_info=linux, rlimits=rlimits)


def says(
    tmp_path: Path,
    isolation: tuple[str, ...],
    line: str,
    container: ContainerInfo | None = None,
    user: str = "",
) -> str:
    """What a command writes in such a container."""
    said: list[str] = []

    async def story(stage: Containers) -> None:
        await stage.run("", command=CommandInfo(line, user=user), container=container)
        said.append(stage.output() + stage.output(name="stderr"))

    play(tmp_path, story, isolation)
    return said[0]


def fault(tmp_path: Path, isolation: tuple[str, ...], container: ContainerInfo) -> str:
    """Why such a container cannot be started."""
    said: list[str] = []

    async def story(stage: Containers) -> None:
        ended = await stage.run("true", container=container)
        assert ended.reason is Reason.REASON_CONTAINER_LAUNCH_FAILED
        said.append(ended.message)

    play(tmp_path, story, isolation)
    return said[0]


# Choosing.


@needs_root
@pytest.mark.cgroups
@pytest.mark.parametrize("name", ISOLATORS)
def test_every_isolator_works_here_or_says_why_not(name: str):
    settings = Settings(Groups())
    if name == "cgroups/cpuset" and "cpuset" not in Path("/proc/cgroups").read_text():
        with pytest.raises(OperatorError, match="does not work on this machine: the kernel has no controller cpuset"):
            choose((name,), settings)
    else:
        assert list(choose((name,), settings)) == [name]


@needs_root
@pytest.mark.cgroups
def test_the_group_around_all_containers_may_be_deeper(tmp_path: Path):
    groups = Groups(f"{tmp_path.name}/inner")
    names = ["cgroups/cpu", "cgroups/mem", *["cgroups/cpuset"] * ("cpuset" in Path("/proc/cgroups").read_text())]
    try:
        isolators = choose(names, Settings(groups))
        plan = Plan()
        for isolator in isolators.values():
            isolator.prepare(ContainerConfig(ContainerID("c1"), CommandInfo("true"), str(tmp_path)), plan)
        make(plan["groups"])
        remove(plan["groups"])
    finally:
        for tree in ("", "*/"):
            for inner in Path("/sys/fs/cgroup").glob(f"{tree}{tmp_path.name}/inner"):
                inner.rmdir()
                inner.parent.rmdir()


def test_an_isolator_that_does_not_exist_is_told():
    with pytest.raises(OperatorError, match="there is no 'cgroups/cup'; there are filesystem/linux"):
        choose(("cgroups/cup",), Settings(Groups()))


# Rights.


def test_rlimits_are_set(tmp_path: Path):
    container = mesos_container(rlimits=(RLimit("RLMT_NOFILE", 100, 200), RLimit("RLMT_CORE", 0, 0)))
    said = says(tmp_path, ("posix/rlimits",), "ulimit -Sn; ulimit -Hn; ulimit -c", container)
    assert said == "100\n200\n0\n"


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (RLimit("RLMT_LUNCH", 1, 1), "expected an rlimit such as RLMT_NOFILE, found 'RLMT_LUNCH'"),
        (RLimit("RLMT_NOFILE", 2, 1), "RLMT_NOFILE: the soft limit 2 is above the hard limit 1"),
        (RLimit("RLMT_NOFILE", 2), "RLMT_NOFILE: expected both a soft and a hard limit, or neither"),
    ],
)
def test_rlimits_that_make_no_sense_are_told(tmp_path: Path, limit: RLimit, text: str):
    assert fault(tmp_path, ("posix/rlimits",), mesos_container(rlimits=(limit,))) == text


STATUS = "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status"


@needs_root
def test_root_in_a_container_has_the_capabilities_it_asked_for(tmp_path: Path):
    container = mesos_container(LinuxInfo(effective_capabilities=("CHOWN", "KILL")))
    assert says(tmp_path, ("linux/capabilities",), f"{STATUS} | cut -f2", container) == (
        "0000000000000021\n0000000000000021\n0\n"
    )


@needs_root
def test_a_user_has_capabilities_too(tmp_path: Path):
    open_up(tmp_path)
    container = mesos_container(
        LinuxInfo(effective_capabilities=("NET_BIND_SERVICE",), bounding_capabilities=("KILL", "NET_BIND_SERVICE"))
    )
    said = says(tmp_path, ("linux/capabilities",), f"{STATUS} | cut -f2", container, user="nobody")
    assert said == "0000000000000400\n0000000000000420\n0\n"


@needs_root
@pytest.mark.parametrize(
    ("info", "text"),
    [
        (
            LinuxInfo(effective_capabilities=("FLY",)),
            "there is no capability 'FLY'; they are called like CHOWN and NET_ADMIN",
        ),
        (
            LinuxInfo(effective_capabilities=("KILL",), bounding_capabilities=("CHOWN",)),
            "the effective capability KILL is not among the bounding ones",
        ),
    ],
)
def test_capabilities_that_make_no_sense_are_told(tmp_path: Path, info: LinuxInfo, text: str):
    assert fault(tmp_path, ("linux/capabilities",), mesos_container(info)) == text


@needs_root
def test_nothing_gives_more_rights(tmp_path: Path):
    assert says(tmp_path, ("linux/nnp",), f"{STATUS} | tail -1 | cut -f2") == "1\n"


@needs_root
@pytest.mark.cgroups
def test_devices_of_the_host_are_out_of_reach(tmp_path: Path):
    line = "head -c1 /dev/zero | wc -c; mknod disk b 7 0 && head -c1 disk 2>&1 | grep -o 'not permitted'; rm disk"
    assert says(tmp_path, ("cgroups/devices",), line) == "1\nnot permitted\n"


@needs_root
def test_ipc_objects_are_the_containers_own(tmp_path: Path):
    assert says(tmp_path, ("namespaces/ipc",), "readlink /proc/self/ns/ipc") != os.readlink("/proc/self/ns/ipc") + "\n"


# Files.


@needs_root
def test_mounts_stay_in_the_container(tmp_path: Path):
    line = "mkdir m && mount -t tmpfs tmpfs m && touch m/here && ls m"
    assert says(tmp_path, ("filesystem/linux",), line) == "here\n"
    assert not list(tmp_path.rglob("here"))


@needs_root
def test_host_paths_are_mounted(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("data\n")
    (tmp_path / "there").mkdir()
    volumes = (
        Volume(str(tmp_path / "there"), host_path=str(tmp_path / "data")),
        Volume("inside", mode=VolumeMode.RO, host_path=str(tmp_path / "data")),
    )
    line = f"cat {tmp_path}/there/file inside/file; echo more > {tmp_path}/there/new; echo no > inside/no"
    said = says(tmp_path, ("filesystem/linux", "volume/host_path"), line, mesos_container(volumes=volumes))
    assert said.startswith("data\ndata\n")
    assert "Read-only file system" in said
    assert (tmp_path / "data" / "new").read_text() == "more\n"
    assert list((tmp_path / "there").iterdir()) == []


@needs_root
def test_parts_of_the_sandbox_are_mounted_elsewhere(tmp_path: Path):
    (tmp_path / "tmp").mkdir()
    source = VolumeSource(VolumeSourceType.SANDBOX_PATH, path="scratch")
    container = mesos_container(volumes=(Volume(str(tmp_path / "tmp"), source=source),))
    line = f"echo kept > {tmp_path}/tmp/file; cat scratch/file"
    assert says(tmp_path, ("volume/sandbox_path",), line, container) == "kept\n"
    assert list((tmp_path / "tmp").iterdir()) == []


@needs_root
@pytest.mark.parametrize(
    ("volume", "text"),
    [
        (Volume("x", host_path="/no/such"), "the host path /no/such is not there"),
        (Volume("../x", host_path="/tmp"), "expected a path in the sandbox, found '../x'"),
        (Volume("x", host_path="../../.."), "expected a path in the sandbox, found '../../..'"),
        (Volume("/no/such/x", host_path="/tmp"), "there is no /no/such to mount /no/such/x in"),
    ],
)
def test_volumes_that_cannot_be_are_told(tmp_path: Path, volume: Volume, text: str):
    assert fault(tmp_path, ("volume/host_path",), mesos_container(volumes=(volume,))) == text


def test_a_sandbox_that_grows_too_large_ends_its_container(tmp_path: Path):
    async def story(stage: Containers) -> None:
        line = "head -c 20000000 /dev/urandom > large; sleep 300"
        ended = await stage.run(line, resources=Resources.of(cpus=1, mem=64, disk=10))
        assert ended.reason is Reason.REASON_CONTAINER_LIMITATION_DISK
        assert ended.limitation == Resources.of(disk=10)
        assert ended.message.startswith("disk limit exceeded: 10MB are allowed, and ")

    play(tmp_path, story, ("disk/du",))


def test_a_port_that_was_not_given_ends_its_listener(tmp_path: Path):
    port, other = free_ports(2)

    def listener(port: int) -> CommandInfo:
        serve = f"import socket, time; s = socket.create_server(('127.0.0.1', {port}))"
        listen = f"{serve}; print('ready', flush=True); time.sleep(300)"
        return CommandInfo("python3", shell=False, arguments=("python3", "-c", listen))

    async def story(stage: Containers) -> None:
        given = Resources.of(Resource.of("ports", Ranges(((port, port),))), cpus=1, mem=64)
        allowed = await stage.start("", command=listener(port), resources=given)
        await written(stage, allowed, "ready\n")

        ended = await stage.run("", command=listener(other))
        assert ended.reason is Reason.REASON_CONTAINER_LIMITATION
        assert ended.message == f"the container listens on port {other}, and was given none"

        assert allowed not in stage.owner.terminated, "it was looked at, too"
        stage.containerizer.destroy(allowed)
        await stage.end(allowed)

    play(tmp_path, story, ("network/ports",))


# Usage.


async def until(measured: Callable[[dict[str, float]], bool], stage: Containers, line: str) -> dict[str, float]:
    """Run a command until what it uses is as expected."""
    id_ = await stage.start(line)
    async with asyncio.timeout(LIMIT_SECONDS):
        while not measured(usage := await measure(stage, id_)):
            await asyncio.sleep(POLL_SECONDS)
    stage.containerizer.destroy(id_)
    await stage.end(id_)
    return usage


@pytest.mark.parametrize(
    "isolation",
    [
        pytest.param(("cgroups/cpu", "cgroups/mem", "cgroups/pids", "cgroups/blkio"), marks=CGROUPS, id="cgroups"),
        pytest.param(("posix/cpu", "posix/mem"), id="posix"),
    ],
)
def test_what_a_container_uses_is_measured(tmp_path: Path, isolation: tuple[str, ...]):
    async def story(stage: Containers) -> None:
        busy = await until(lambda usage: usage.get("cpus_user_time_secs", 0.0) > 0.1, stage, "while :; do :; done")
        assert busy["processes"] == 1
        hold = 'import time; kept = b"x" * 20_000_000; time.sleep(300)'
        large = await until(lambda usage: usage.get("mem_rss_bytes", 0.0) > 20e6, stage, f"exec python3 -c '{hold}'")
        if "cgroups/mem" in isolation:
            assert large["mem_limit_bytes"] == 64 * MEGABYTE
            assert large["mem_peak_bytes"] >= 20e6

    play(tmp_path, story, isolation)


class SwaplessMemory(MemoryIsolator):
    def __init__(self) -> None:
        super().__init__(Groups(), limit_swap=True)

    def limits(self, container_id: ContainerID) -> tuple[str, str]:
        """The hard limit, and that of swap."""
        hard, swap = (self._groups.read(container_id, "memory", name) for name in (self._files.hard, self._files.swap))
        return hard, swap


@needs_root
@pytest.mark.cgroups
def test_what_has_a_limit_is_not_swapped_instead(tmp_path: Path):
    async def story(stage: Containers) -> None:
        id_ = await stage.start("sleep 300", resources=Resources.of(cpus=1, mem=64))
        for megabytes in (64, 200, 100):
            stage.containerizer.update(id_, Resources.of(cpus=1, mem=megabytes))
            hard = str(megabytes * MEGABYTE)
            expected = (hard, hard if Groups().version == 1 else "0")
            await eventually_here(lambda expected=expected: memory.limits(id_) == expected, "the limits are set")
        stage.containerizer.destroy(id_)
        await stage.end(id_)

    memory = SwaplessMemory()
    play(tmp_path, story, None, memory)


@needs_root
def test_memory_pressure_is_counted(tmp_path: Path):
    """Version 2 tells of stalls instead, if its kernel looks for them."""
    names = [f"mem_{level}_pressure_counter" for level in ("low", "medium", "critical")]
    if Groups().version == 2:
        names = ["mem_pressure_some_secs", "mem_pressure_full_secs"] if os.path.exists("/proc/pressure/memory") else []

    async def story(stage: Containers) -> None:
        # Reading more than fits has the kernel look for memory again and again; waiting lets the first look be first.
        line = "sleep 0.2; head -c 60m /dev/zero > file; while :; do cat file > /dev/null; cp file copy; done"
        usage = await until(lambda usage: all(usage.get(name, 0.0) > 0 for name in names[:1]), stage, line)
        assert {name for name in usage if "pressure" in name} == set(names)

    play(tmp_path, story, ("cgroups/mem",))


def test_stalls_are_read_as_version_2_tells_them():
    text = "some avg10=0.00 avg60=0.12 avg300=0.00 total=1500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=20\n"
    assert stalls(text) == {"mem_pressure_some_secs": 1.5, "mem_pressure_full_secs": 0.00002}
    assert stalls("") == {}


class OwnNetwork(NetworkUsage):
    """Gives containers a network that leads nowhere, and measures it."""

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        plan["namespaces"] = plan.get("namespaces", 0) | kernel.CLONE_NEWNET


@needs_root
def test_the_traffic_of_a_network_of_its_own_is_measured(tmp_path: Path):
    async def story(stage: Containers) -> None:
        link = "ip link add v0 type veth peer name v1 && ip addr add 10.9.8.7/24 dev v0 && ip link set v0 up"
        line = f"{link} && ip link set v1 up && while :; do echo > /dev/udp/10.9.8.9/9; sleep 0.02; done"
        usage = await until(lambda usage: usage.get("net_tx_bytes", 0.0) > 0, stage, f"exec bash -c '{line}'")
        assert usage["net_tx_packets"] > 0

    play(tmp_path, story, None, OwnNetwork())


def test_the_traffic_of_the_host_is_no_containers(tmp_path: Path):
    async def story(stage: Containers) -> None:
        id_ = await stage.start("sleep 300")
        assert await measure(stage, id_) == {}
        stage.containerizer.destroy(id_)
        await stage.end(id_)

    play(tmp_path, story, None, NetworkUsage())


def test_the_disk_is_measured(tmp_path: Path):
    async def story(stage: Containers) -> None:
        line = "head -c 3000000 /dev/urandom > file; sleep 300"
        usage = await until(lambda usage: usage.get("disk_used_bytes", 0.0) > 3e6, stage, line)
        assert usage["disk_used_bytes"] < 4e6

    play(tmp_path, story, ("disk/du",))


def test_without_root_containers_run_all_the_same(tmp_path: Path):
    async def story(stage: Containers) -> None:
        ended = await stage.run("kill -TERM $$")
        assert os.WTERMSIG(ended.status or 0) == signal.SIGTERM

    play(tmp_path, story, FOR_USERS)


# Logs.


def test_outputs_are_rotated_while_they_are_written(tmp_path: Path):
    async def story(stage: Containers) -> None:
        line = "while :; do head -c 40000 /dev/zero | tr '\\0' x; sleep 0.02; done"
        id_ = await stage.start(line)
        sandbox = stage.work_dir / id_
        await eventually_here((sandbox / "stdout.3").exists, "there is a third part")
        assert (sandbox / "stdout.3").stat().st_size > LOG_BYTES_MAX
        stage.containerizer.destroy(id_)
        await stage.end(id_)
        assert len(list(sandbox.glob("stdout.*"))) <= KEPT
        assert not (sandbox / "stderr.1").exists()

    play(tmp_path, story, (), LogRotation(LOG_BYTES_MAX, 0.05))


def test_a_link_in_the_place_of_an_output_is_not_followed(tmp_path: Path):
    (tmp_path / "precious").write_bytes(b"x" * 100)
    (tmp_path / "stdout").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        rotate(str(tmp_path / "stdout"), (tmp_path / "stdout").lstat())
    assert (tmp_path / "precious").stat().st_size == 100
