"""Probes of running containers: a command inside, a request, a connection."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path

import aiohttp
from msgspec.structs import replace

from agent.containerizer.forker import ForkerClient, ForkError
from agent.containerizer.plans import make_plan
from agent.containerizer.reports import take
from agent.forker.plan import Plan
from agent.isolators.isolator import ContainerError
from agent.ports import ContainerConfig, ProbedMessage
from mesos.types import CheckInfo, CheckType, HealthCheck, HTTPCheckInfo, TCPCheckInfo

Check = HealthCheck | CheckInfo

LOOPBACK = "127.0.0.1"


class Prober:
    """Makes probes. A container's network is the host's, so requests and connections come from the agent itself."""

    def __init__(self, forker: ForkerClient, runtime_dir: Path, switch_user: bool) -> None:
        self._forker = forker
        self._runtime_dir = runtime_dir
        self._switch_user = switch_user
        self._serial = 0

    async def probe(self, config: ContainerConfig, plan: Plan, init: int, check: Check) -> ProbedMessage:
        """Probe the container of this config, plan and init; it takes no longer than the check allows."""
        probed = ProbedMessage(config.container_id, isinstance(check, HealthCheck))
        try:
            async with asyncio.timeout(check.timeout_seconds):
                if check.type is CheckType.COMMAND:
                    return replace(probed, exit_code=await self._run(config, plan, init, check))
                if check.type is CheckType.HTTP:
                    return replace(probed, status_code=await _request(check.http))
                return replace(probed, succeeded=await _connect(check.tcp))
        except TimeoutError:
            return replace(probed, error=f"no answer within {check.timeout_seconds:g} s")
        except (ContainerError, ForkError, OSError, aiohttp.ClientError) as error:
            return replace(probed, error=str(error))

    async def _run(self, config: ContainerConfig, plan: Plan, init: int, check: Check) -> int:
        """Run a command in the container; returns its exit status."""
        command = check.command
        if command is None:
            raise ContainerError("the check names no command")
        self._serial += 1
        status_path = str(self._runtime_dir / f"{config.container_id}.probe-{self._serial}")
        own = replace(config, command=replace(command, user=command.user or config.command.user))
        visit = make_plan(own, status_path, self._switch_user)
        visit |= Plan(id=f"{plan['id']}.probe-{self._serial}", visits=init, enters=plan.get("namespaces", 0))
        visit["groups"] = plan.get("groups", [])
        visit["environment"] = plan["environment"] | visit["environment"]
        starting = asyncio.ensure_future(self._forker.fork(visit))
        try:
            visitor = await asyncio.shield(starting)
            if visitor is not None:
                await asyncio.shield(visitor.ended)
        except asyncio.CancelledError:  # it took too long, maybe even to start
            visitor = await starting
            if visitor is not None:
                visitor.kill()
                await visitor.ended
            take(status_path)
            raise
        report = take(status_path)
        if "error" in report:
            raise ContainerError(report["error"])
        return os.waitstatus_to_exitcode(report["status"])


async def _request(check: HTTPCheckInfo | None) -> int:
    """Ask a web server on this machine; returns its status, after redirections."""
    if check is None:
        raise ContainerError("the check names no port")
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    url = f"{check.scheme}://{LOOPBACK}:{check.port}{check.path}"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=unverified) as response:
        return response.status


async def _connect(check: TCPCheckInfo | None) -> bool:
    """Whether somebody listens."""
    if check is None:
        raise ContainerError("the check names no port")
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, check.port)
    except OSError:
        return False
    writer.close()
    return True
