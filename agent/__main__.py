"""`python -m agent`: runs an agent until it is told to end, or fails."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from msgspec.structs import replace

from agent.agent import AGENT_ID, Agent
from agent.checkpoints.identity import (
    LATEST,
    forget_if_changed,
    journal_path,
    known_agent,
)
from agent.checkpoints.journal import DamagedJournalError, Journal
from agent.containerizer.composing import Choice, ComposingContainerizer
from agent.containerizer.mesos import MesosContainerizer
from agent.containerizer.reports import BOOT_ID
from agent.detection import resources, this_machine
from agent.dialogues.messages import StopAgentMessage
from agent.disk import SandboxDisk
from agent.environment import inherited
from agent.fetcher import Fetcher
from agent.fetcher.cache import Cache
from agent.flags import CONTAINERIZERS, AgentFlags
from agent.guests import Guests
from agent.isolators.cgroups.groups import Groups
from agent.isolators.choice import Settings, choose, choose_launcher
from agent.isolators.logs import LogRotation
from agent.isolators.network import NetworkUsage
from agent.isolators.volumes import VolumesIsolator
from agent.janitor import JANITOR_ID, Janitor
from agent.records.lasting import PATH, Lasting
from agent.volumes import DiskVolumes
from agent.work_dir import held
from libprocess.edge import run
from libprocess.endings import ending_signals
from libprocess.errors import OperatorError, told_to_the_operator
from libprocess.http.gate import Gate
from libprocess.http.server import HttpServer
from libprocess.http.tls import Tls
from libprocess.pid import PID
from libprocess.runtime import Runtime
from libprocess.units import format_duration
from libprocess.zeromq import ZeroMQ
from mesos.access.credentials import Credential, read_credential, read_credentials, read_token_key
from mesos.access.gate import EXECUTOR, make_gate
from mesos.attributes import parse_attributes
from mesos.detector import MasterDetector, master_finder
from mesos.executor.place import invitation
from mesos.node import open_program
from mesos.types import AgentInfo, ContainerType

PROGRAM = "mesos-agent"
FAILED = 1

REREGISTRATION_SECONDS_MAX = 15.0

LOG_INTERVAL_SECONDS = 5.0
"""How often it is looked how much containers have written."""

log = logging.getLogger("agent")


def main() -> None:
    """The program: exit code 0 when it was told to end, 1 when the agent failed, 2 when the operator is at fault."""
    with told_to_the_operator(PROGRAM):
        flags = AgentFlags.load()
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=flags.logging_level)
        flags.check_reachable()
        _check_patience(flags)
        _check_containers(flags)
        info = _info(flags)
        with held(flags.work_dir):
            raise SystemExit(run(serve(flags, info)))


async def serve(flags: AgentFlags, info: AgentInfo) -> int:
    """Run an agent; returns the program's exit code."""
    endings = _Endings()
    async with AsyncExitStack() as stack:
        node = await open_program(flags, flags.work_dir, f"{flags.work_dir}/meta", stack)
        _check_lasting(node, info)
        boot_id = Path(BOOT_ID).read_text().strip()
        _check_recovery(node, flags, info, boot_id)
        gate, tls = _gate(flags, node), Tls.from_environment()
        server = HttpServer(node, root=AGENT_ID, host=flags.ip, port=flags.port, guard=gate, tls=tls)
        await server.start()
        stack.push_async_callback(server.close)
        isolators = choose(flags.isolation, _isolation(flags))
        if flags.max_log_size_bytes:
            isolators["logs"] = LogRotation(flags.max_log_size_bytes, LOG_INTERVAL_SECONDS)
        isolators["network"] = NetworkUsage()
        isolators["volumes"] = VolumesIsolator(mounts=choose_launcher(flags.launcher) == "linux")
        volumes = DiskVolumes(flags.work_dir)
        stack.callback(volumes.close)
        switch_user = flags.switch_user and os.geteuid() == 0
        cache = Cache(Path(flags.fetcher_cache_dir or f"{flags.work_dir}/fetch"), flags.fetcher_cache_size_bytes)
        fetcher = Fetcher(cache, flags.frameworks_home, node.metrics)
        containerizer = MesosContainerizer(node, f"{flags.work_dir}/containers", isolators, fetcher, switch_user)
        stack.push_async_callback(containerizer.close)
        choices = {"mesos": Choice(containerizer, frozenset({ContainerType.MESOS}))}
        composing = ComposingContainerizer(node, {name: choices[name] for name in flags.containerizers})
        info = replace(info, port=server.address.port)
        janitor = _spawn_janitor(node, flags)
        proofs = (_credential(flags), _guests(flags, node))
        process = Agent(flags, info, composing, inherited(os.environ), volumes, janitor, boot_id, *proofs)
        agent = node.spawn(process, AGENT_ID)
        node.spawn(MasterDetector(agent, master_finder(node, flags.master)), "detector")
        print(f"{PROGRAM} is {agent}, its page is at {server.url}", flush=True)
        return await _watch(node, agent, endings)


def _gate(flags: AgentFlags, node: Runtime) -> Gate:
    credentials = read_credentials("http_credentials", flags.http_credentials) if flags.http_credentials else {}
    executors = {EXECUTOR: flags.authenticate_http_executors}
    return make_gate("agent", flags, credentials, node.now, **executors)


def _credential(flags: AgentFlags) -> Credential | None:
    return read_credential("credential", flags.credential) if flags.credential else None


def _guests(flags: AgentFlags, node: Runtime) -> Guests:
    network = node.network
    assert isinstance(network, ZeroMQ)
    return Guests(_token_key(flags), lambda name: invitation(network.invite(name)), network.dismiss)


def _token_key(flags: AgentFlags) -> bytes:
    if not flags.authenticate_http_executors or flags.jwt_secret_key is None:
        return b""
    return read_token_key("jwt_secret_key", flags.jwt_secret_key)


def _isolation(flags: AgentFlags) -> Settings:
    return Settings(
        Groups(flags.cgroups_root),
        launcher=flags.launcher,
        cfs=flags.cgroups_enable_cfs,
        limit_swap=flags.cgroups_limit_swap,
        pids_max=flags.pids_max,
        enforce_disk=flags.enforce_container_disk_quota,
        disk_interval_seconds=flags.container_disk_watch_interval_seconds,
        ports_interval_seconds=flags.container_ports_watch_interval_seconds,
        effective_capabilities=flags.effective_capabilities,
        bounding_capabilities=flags.bounding_capabilities,
    )


def _spawn_janitor(node: Runtime, flags: AgentFlags) -> PID:
    disk = SandboxDisk(node, flags.work_dir)
    delay_seconds, interval_seconds = flags.gc_delay_seconds, flags.disk_watch_interval_seconds
    return node.spawn(Janitor(disk, delay_seconds, flags.gc_disk_headroom, interval_seconds, disk.found()), JANITOR_ID)


def _info(flags: AgentFlags) -> AgentInfo:
    """What the agent says of itself; OperatorError says what is wrong with the flags."""
    try:
        attributes = parse_attributes(flags.attributes)
    except ValueError as error:
        raise OperatorError(f"--attributes: {error}") from None
    has = resources(flags.resources, flags.default_role, this_machine(flags.work_dir))
    return AgentInfo(
        flags.hostname or flags.advertise_ip or flags.ip, resources=has, attributes=attributes, domain=flags.domain
    )


def _check_lasting(node: Runtime, info: AgentInfo) -> None:
    """What was reserved here before must still be there."""
    try:
        Lasting(info.resources, node.storage.read(PATH))
    except ValueError as error:
        raise OperatorError(f"--resources: {error}; give as much, or empty --work_dir to forget it") from None


def _check_recovery(node: Runtime, flags: AgentFlags, info: AgentInfo, boot_id: str) -> None:
    """What an earlier life left must be readable, and this one be like it, unless the machine was started meanwhile."""
    directory = f"{flags.work_dir}/meta"
    try:
        known = known_agent(node.storage)
        if known is not None and known.id is not None:
            Journal(node.storage, journal_path(known.id)).read(flags.strict)
    except DamagedJournalError as error:
        raise OperatorError(f"{error} in {directory}; start with --strict=false to skip what is damaged") from None
    except ValueError as error:
        raise OperatorError(f"{error}; remove {directory}/{LATEST} to begin as another agent") from None
    if known is None or flags.recover == "cleanup":
        return
    try:
        fault = forget_if_changed(node.storage, known, info, flags.reconfiguration_policy, boot_id)
        if fault:
            log.warning(
                "this was agent %s until the machine was started again, and %s; it is another now", known.id, fault
            )
    except ValueError as error:
        more = "" if flags.reconfiguration_policy == "additive" else "; for more, --reconfiguration_policy=additive"
        remedy = f"give it as before{more}, or end its tasks with --recover=cleanup to begin as another agent"
        raise OperatorError(f"this was agent {known.id}, and {error}; {remedy}") from None


async def _watch(node: Runtime, agent: PID, endings: _Endings) -> int:
    """Wait until somebody ends this program, and then for the agent's last words; or until the agent ends by itself."""
    endings.leave = lambda: node.terminate(agent)
    endings.stop = lambda: node.send(agent, StopAgentMessage())
    reason = await node.wait(agent)
    if reason == "terminated":
        return 0
    log.critical("the agent ended: %s", reason)
    return FAILED


class _Endings:
    """What signals do: SIGTERM and its kind leave to the next agent what lives on, SIGUSR1 ends everything."""

    def __init__(self) -> None:
        self.leave: Callable[[], None] = _leave_at_once
        self.stop: Callable[[], None] = _leave_at_once
        loop = asyncio.get_running_loop()
        for number in ending_signals():
            loop.add_signal_handler(number, self._told, lambda: self.leave())
        loop.add_signal_handler(signal.SIGUSR1, self._told, lambda: self.stop())

    def _told(self, what: Callable[[], None]) -> None:
        log.info("told to end")
        what()


def _leave_at_once() -> None:
    raise SystemExit(0)


def _check_containers(flags: AgentFlags) -> None:
    if not all(name not in ("", ".", "..") for name in flags.cgroups_root.split("/")):
        found = f"found {flags.cgroups_root!r}"
        raise OperatorError(f"--cgroups_root: expected a path such as mesos or machine/mesos, {found}")
    unknown = sorted(set(flags.containerizers) - set(CONTAINERIZERS))
    if unknown or not flags.containerizers:
        found = f"there is no {unknown[0]!r}" if unknown else "the agent needs one"
        raise OperatorError(f"--containerizers: {found}; there are {', '.join(CONTAINERIZERS)}")


def _check_patience(flags: AgentFlags) -> None:
    """An agent that comes back keeps its master waiting."""
    found, limit = flags.executor_reregistration_timeout_seconds, REREGISTRATION_SECONDS_MAX
    if found > limit:
        text = f"expected at most {format_duration(limit)}, found {format_duration(found)}"
        raise OperatorError(f"--executor_reregistration_timeout: {text}")


if __name__ == "__main__":
    main()
