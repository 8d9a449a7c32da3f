"""Containers on a real kernel: their output, their end, their limits, and that nothing is left of them."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from agent.containerizer.reports import read
from agent.isolators.isolator import Isolator, Tell
from agent.ports import ContainerConfig
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import (
    URI,
    CheckInfo,
    CheckType,
    CommandInfo,
    Environment,
    HealthCheck,
    HTTPCheckInfo,
    Reason,
    TCPCheckInfo,
    Variable,
)
from tests.system.containers import (
    ISOLATED,
    LIMIT_SECONDS,
    PIDS_MAX,
    Containers,
    left_of,
    marked,
    measure,
    needs_root,
    play,
    probe,
    written,
)
from tests.system.waiting import eventually_here

TICK_SECONDS = 0.01


@pytest.mark.parametrize("isolation", ISOLATED)
def test_a_command_writes_into_its_sandbox_and_its_status_is_told(tmp_path: Path, isolation: tuple[str, ...] | None):
    async def story(stage: Containers) -> None:
        ended = await stage.run("echo out; echo err >&2; pwd; exit 3")

        assert (ended.status, ended.reason) == (3 << 8, None)
        assert stage.output() == f"out\n{stage.work_dir / ended.container_id}\n"
        assert stage.output(name="stderr") == "err\n"

    play(tmp_path, story, isolation)


def test_how_a_container_ended_that_lives_on_is_kept_until_it_is_known_for_good(tmp_path: Path):
    async def story(stage: Containers) -> None:
        id_ = stage.launch("exit 3", lives_on=True)
        await stage.end(id_)
        assert read(str(tmp_path / "run" / id_))["status"] == 3 << 8, "the agent may be killed now"
        stage.containerizer.forget(id_)

    play(tmp_path, story, isolation=None)


@pytest.mark.parametrize("isolation", ISOLATED)
def test_a_command_that_dies_of_a_signal(tmp_path: Path, isolation: tuple[str, ...] | None):
    async def story(stage: Containers) -> None:
        ended = await stage.run("kill -SEGV $$")
        assert os.WTERMSIG(ended.status or 0) == signal.SIGSEGV

    play(tmp_path, story, isolation)


def test_a_program_is_given_its_arguments_as_they_are(tmp_path: Path):
    async def story(stage: Containers) -> None:
        command = CommandInfo("printf", shell=False, arguments=("printf", "%s\n", "a b", "$HOME"))
        await stage.run("", command=command)
        assert stage.output() == "a b\n$HOME\n"

    play(tmp_path, story, None)


def test_variables_are_the_commands_own_and_those_of_the_agent(tmp_path: Path):
    async def story(stage: Containers) -> None:
        own = Environment((Variable("B", "command's"), Variable("LINES", "one\ntwo")))
        config = Environment.of({"A": "agent's", "B": "agent's"})
        await stage.run("", command=CommandInfo('echo "$A $B $LINES"', environment=own), environment=config)
        assert stage.output() == "agent's command's one\ntwo\n"

    play(tmp_path, story, None)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (CommandInfo(""), "the command is empty"),
        (CommandInfo("true\0false"), "the command holds a NUL character, which no program can be given"),
        (
            CommandInfo("true", environment=Environment.of({"A=B": ""})),
            "the variable 'A=B' has no proper name, or a NUL character in its value",
        ),
        (CommandInfo("no-such-program", shell=False), "cannot start no-such-program: not found along PATH"),
        (CommandInfo("/etc/passwd", shell=False), "cannot start /etc/passwd: /etc/passwd: Permission denied"),
    ],
)
def test_what_cannot_be_started_is_told(tmp_path: Path, command: CommandInfo, text: str):
    async def story(stage: Containers) -> None:
        ended = await stage.run("", command=command)
        assert (ended.status, ended.reason) == (None, Reason.REASON_CONTAINER_LAUNCH_FAILED)
        assert ended.message == text

    play(tmp_path, story, None)


@needs_root
@pytest.mark.parametrize("user", ["nosuchuser", "no\0body", "no\nbody"])
def test_a_user_that_does_not_exist_is_told(tmp_path: Path, user: str):
    async def story(stage: Containers) -> None:
        ended = await stage.run("", command=CommandInfo("true", user=user))
        assert ended.message == f"there is no user {user!r} on this machine"

    play(tmp_path, story, None)


class BrokenIsolator(Isolator):
    def watch(self, container_id: ContainerID, config: ContainerConfig, init: int, tell: Tell) -> None:
        raise RuntimeError("broken")


def test_a_broken_plug_in_ends_its_container_and_nothing_else(tmp_path: Path):
    async def story(stage: Containers) -> None:
        ended = await stage.run("sleep 300", environment=marked(tmp_path))
        assert ended.reason is Reason.REASON_CONTAINER_LAUNCH_FAILED
        assert ended.message == "RuntimeError: broken"

    play(tmp_path, story, None, BrokenIsolator())


@needs_root
def test_a_command_runs_as_its_user_who_owns_the_sandbox(tmp_path: Path):
    tmp_path.chmod(0o755)

    async def story(stage: Containers) -> None:
        ended = await stage.run(
            "", command=CommandInfo("id -un; id -gn; touch new; stat -c %U . stdout new", user="nobody")
        )
        assert ended.status == 0
        assert stage.output() == "nobody\nnogroup\nnobody\nnobody\nnobody\n"

    for parent in tmp_path.parents:  # where pytest keeps others out
        if parent.stat().st_uid == os.getuid() and parent.is_relative_to("/tmp") and parent != Path("/tmp"):
            parent.chmod(0o755)
    play(tmp_path, story, ())


@pytest.mark.parametrize("isolation", ISOLATED)
def test_a_signal_reaches_every_process(tmp_path: Path, isolation: tuple[str, ...] | None):
    async def story(stage: Containers) -> None:
        line = "trap 'echo outer; wait' TERM; (trap 'echo inner; exit' TERM; echo ready; sleep 60 & wait) & wait"
        id_ = await stage.start(line, environment=marked(tmp_path))
        await written(stage, id_, "ready\n")
        stage.containerizer.signal(id_, signal.SIGTERM)
        await stage.end(id_)
        assert sorted(stage.output(id_).split()) == ["inner", "outer", "ready"]

    play(tmp_path, story, isolation)


@pytest.mark.parametrize("isolation", ISOLATED)
def test_what_is_destroyed_is_gone_with_all_that_it_left_behind(tmp_path: Path, isolation: tuple[str, ...] | None):
    async def story(stage: Containers) -> None:
        stubborn = "trap '' TERM; setsid sh -c 'setsid sleep 300 & sleep 300' & (sleep 300 &) ; echo ready; sleep 300"
        id_ = await stage.start(stubborn, environment=marked(tmp_path))
        await written(stage, id_, "ready\n")
        stage.containerizer.signal(id_, signal.SIGTERM)
        stage.containerizer.destroy(id_)
        ended = await stage.end(id_)
        assert os.WTERMSIG(ended.status or 0) == signal.SIGKILL

    play(tmp_path, story, isolation)


@pytest.mark.parametrize("isolation", ISOLATED)
def test_nothing_of_a_container_outlives_its_init(tmp_path: Path, isolation: tuple[str, ...] | None):
    async def story(stage: Containers) -> None:
        line = "setsid sh -c 'setsid sleep 300 & echo ready; sleep 300' & sleep 300"
        id_ = await stage.start(line, environment=marked(tmp_path))
        await written(stage, id_, "ready\n")
        os.kill(stage.owner.launched[id_], signal.SIGKILL)
        ended = await stage.end(id_)
        assert os.WTERMSIG(ended.status or 0) == signal.SIGKILL
        await eventually_here(lambda: not left_of(tmp_path.name), "nothing of the container is left")

    play(tmp_path, story, isolation)


@pytest.mark.parametrize("isolation", ISOLATED)
def test_what_a_command_leaves_running_ends_with_it(tmp_path: Path, isolation: tuple[str, ...] | None):
    async def story(stage: Containers) -> None:
        ended = await stage.run("setsid sleep 300 & exit 0", environment=marked(tmp_path))
        assert ended.status == 0

    play(tmp_path, story, isolation)


def test_a_container_can_be_destroyed_while_it_starts(tmp_path: Path):
    async def story(stage: Containers) -> None:
        ids = [stage.launch("sleep 300", environment=marked(tmp_path)) for _ in range(20)]
        for id_ in ids:
            stage.containerizer.destroy(id_)
        for id_ in ids:
            await stage.end(id_)

    play(tmp_path, story)


def test_many_at_once(tmp_path: Path):
    async def story(stage: Containers) -> None:
        ids = [stage.launch(f"echo {number}; exit {number}") for number in range(60)]
        for number, id_ in enumerate(ids):
            assert (await stage.end(id_)).status == number << 8
            assert stage.output(id_) == f"{number}\n"

    play(tmp_path, story)


@pytest.mark.parametrize("isolation", ISOLATED)
def test_containers_end_when_the_forker_is_killed(tmp_path: Path, isolation: tuple[str, ...] | None):
    async def story(stage: Containers) -> None:
        id_ = await stage.start("sleep 300 & sleep 300", environment=marked(tmp_path))
        killed = forker()
        killed.kill()
        ended = await stage.end(id_)
        assert os.WTERMSIG(ended.status or 0) == signal.SIGKILL
        await eventually_here(lambda: not killed.is_running(), "the forker that was killed is reaped")
        assert (await stage.run("true")).status == 0  # with a new forker

    play(tmp_path, story, isolation)


@pytest.mark.parametrize("isolation", ISOLATED)
def test_a_forker_that_is_killed_takes_no_container_along_that_just_starts(
    tmp_path: Path, isolation: tuple[str, ...] | None
):
    async def story(stage: Containers) -> None:
        ids = [stage.launch("sleep 300", lives_on=True, environment=marked(tmp_path)) for _ in range(30)]
        await stage.owner.until(lambda: len(stage.owner.launched) > 2)
        forker().kill()
        try:
            await stage.owner.until(
                lambda: len(stage.owner.launched.keys() | stage.owner.terminated.keys()) == len(ids)
            )
            assert not stage.owner.terminated
        finally:
            for id_ in ids:
                stage.containerizer.destroy(id_)
        for id_ in ids:
            await stage.end(id_)
            stage.containerizer.forget(id_)

    play(tmp_path, story, isolation)


def forker() -> psutil.Process:
    """The one that runs; those of tests before may wait to be reaped."""
    running = (child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE)
    return next(child for child in running if "agent.forker" in " ".join(child.cmdline()))


def test_what_is_asked_for_is_fetched_before_the_command_starts(tmp_path: Path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "tool").write_text("#!/bin/sh\necho tool")

    async def story(stage: Containers) -> None:
        await stage.run("", command=CommandInfo("./tool", uris=(URI("tool", executable=True),)))
        assert stage.output() == "tool\n"

    play(tmp_path, story)


def test_what_cannot_be_fetched_is_told(tmp_path: Path):
    async def story(stage: Containers) -> None:
        ended = await stage.run("", command=CommandInfo("true", uris=(URI("/no/such/file"),)))
        assert ended.reason is Reason.REASON_CONTAINER_LAUNCH_FAILED
        assert ended.message == "/no/such/file cannot be copied: No such file or directory"

    play(tmp_path, story)


def test_a_container_can_be_destroyed_while_it_fetches(tmp_path: Path):
    async def story(stage: Containers) -> None:
        async def serve_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await ended.wait()
            writer.close()

        asked, ended = asyncio.Event(), asyncio.Event()
        server = await asyncio.start_server(serve_nothing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        id_ = stage.launch("", command=CommandInfo("true", uris=(URI(f"http://127.0.0.1:{port}/slow"),)))
        await asked.wait()
        stage.containerizer.destroy(id_)
        assert (await stage.end(id_)).status == signal.SIGKILL
        ended.set()
        server.close()

    play(tmp_path, story)


# Limits.


@needs_root
def test_a_container_sees_its_own_processes_only(tmp_path: Path):
    async def story(stage: Containers) -> None:
        await stage.run("for p in /proc/[0-9]*; do echo $p; done")
        assert stage.output().split() == ["/proc/1", "/proc/2"]

    play(tmp_path, story)


@needs_root
@pytest.mark.cgroups
def test_memory_has_a_limit(tmp_path: Path):
    async def story(stage: Containers) -> None:
        ended = await stage.run("head -c 200m /dev/zero | tail | tail | cat > /dev/null; sleep 300")
        assert ended.reason is Reason.REASON_CONTAINER_LIMITATION_MEMORY
        assert ended.limitation == Resources.of(mem=64)
        assert ended.message.startswith("memory limit exceeded: 64MB are allowed, ")

    play(tmp_path, story)


@needs_root
@pytest.mark.cgroups
def test_a_larger_limit_holds_at_once(tmp_path: Path):
    async def story(stage: Containers) -> None:
        id_ = await stage.start("mkfifo go; echo ready; read go < go; head -c 100m /dev/zero | tail | wc -c")
        await written(stage, id_, "ready\n")
        stage.containerizer.update(id_, Resources.of(cpus=1, mem=400))
        (stage.work_dir / id_ / "go").write_text("go\n")
        assert (await stage.end(id_)).reason is None
        assert stage.output(id_) == "ready\n104857600\n"

    play(tmp_path, story)


@needs_root
@pytest.mark.cgroups
def test_a_fork_bomb_stops_at_the_limit(tmp_path: Path):
    async def story(stage: Containers) -> None:
        line = f"for i in $(seq {2 * PIDS_MAX}); do sleep 300 & done; echo unlimited"
        ended = await stage.run(line, environment=marked(tmp_path))
        assert ended.status
        assert "unlimited" not in stage.output()
        assert "fork" in stage.output(name="stderr").lower()

    play(tmp_path, story)


@needs_root
@pytest.mark.cgroups
def test_processor_time_has_a_limit(tmp_path: Path):
    async def story(stage: Containers) -> None:
        id_ = await stage.start("while :; do :; done", resources=Resources.of(cpus=0.1, mem=64))
        first = await measure(stage, id_)
        async with asyncio.timeout(3 * LIMIT_SECONDS):  # it is throttled only when the machine has so much to give
            while (last := await measure(stage, id_))["cpus_nr_throttled"] < first["cpus_nr_throttled"] + 30:
                await asyncio.sleep(0.1)
        risen = {name: last[name] - first[name] for name in last}
        used = risen["cpus_user_time_secs"] + risen["cpus_system_time_secs"]
        # Of each period of 0.1 s it has a tenth, and had all of that where it was throttled, in ticks.
        allowed, had = 0.01 * risen["cpus_nr_periods"], 0.01 * risen["cpus_nr_throttled"]
        assert 0.9 * had - TICK_SECONDS <= used <= 1.1 * allowed + TICK_SECONDS
        assert risen["cpus_throttled_time_secs"] > 0
        stage.containerizer.destroy(id_)
        await stage.end(id_)

    play(tmp_path, story)


# Probes.


def command_check(line: str, timeout_seconds: float = LIMIT_SECONDS) -> CheckInfo:
    return CheckInfo(CheckType.COMMAND, timeout_seconds=timeout_seconds, command=CommandInfo(line))


@pytest.mark.parametrize("isolation", ISOLATED)
def test_a_command_probes_from_inside(tmp_path: Path, isolation: tuple[str, ...] | None):
    async def story(stage: Containers) -> None:
        id_ = await stage.start("touch here; echo ready; sleep 300", environment=marked(tmp_path))
        await written(stage, id_, "ready\n")
        line = 'test -e here && test "$TEST" && exit $(ls -d /proc/[0-9]* | wc -l)'
        probed = await probe(stage, id_, command_check(line))
        if isolation is not None:
            assert probed.exit_code in range(4, 8)  # the init, the command's two, and its own few
        assert (await probe(stage, id_, command_check("kill -9 $$"))).exit_code == -signal.SIGKILL
        assert (await probe(stage, id_, command_check("no-such-program"))).exit_code == 127
        stage.containerizer.destroy(id_)
        await stage.end(id_)

    play(tmp_path, story, isolation)


@pytest.mark.parametrize("isolation", ISOLATED)
def test_a_probe_that_takes_too_long_is_ended(tmp_path: Path, isolation: tuple[str, ...] | None):
    async def story(stage: Containers) -> None:
        id_ = await stage.start("sleep 300", environment=marked(tmp_path))
        probed = await probe(stage, id_, command_check("sleep 301 & sleep 301", timeout_seconds=0.3))
        assert (probed.exit_code, probed.error) == (None, "no answer within 0.3 s")
        await eventually_here(
            lambda: not any("301" in (each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])),
            "the command of the probe has ended",
        )
        stage.containerizer.destroy(id_)
        await stage.end(id_)

    play(tmp_path, story, isolation)


def test_servers_are_probed(tmp_path: Path):
    async def story(stage: Containers) -> None:
        async def serve(request: web.BaseRequest) -> web.Response:
            return web.Response(status=200 if request.path == "/health" else 404)

        runner = web.ServerRunner(web.Server(serve))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        id_ = await stage.start("sleep 300")
        tcp, http = (HealthCheck(CheckType.TCP, tcp=TCPCheckInfo(port)), HTTPCheckInfo(port, "/health"))
        assert (await probe(stage, id_, tcp)).succeeded is True
        assert (await probe(stage, id_, HealthCheck(CheckType.HTTP, http=http))).status_code == 200
        await runner.cleanup()
        assert (await probe(stage, id_, tcp)).succeeded is False
        refused = await probe(stage, id_, HealthCheck(CheckType.HTTP, http=http))
        assert refused.status_code is None
        assert "refused" in refused.error.lower() or "connect" in refused.error.lower()
        stage.containerizer.destroy(id_)
        await stage.end(id_)

    play(tmp_path, story)
