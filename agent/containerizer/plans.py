"""From a container's config to the forker's plan: command line, variables, user; and what is wrong with them."""

from __future__ import annotations

import os
import pwd

from agent.forker.plan import Plan
from agent.isolators.isolator import ContainerError
from agent.ports import ContainerConfig
from mesos.secrets import value_of
from mesos.types import Environment

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def make_plan(config: ContainerConfig, status_path: str, switch_user: bool) -> Plan:
    """How to start a container; ContainerError says what is wrong with its config."""
    program, arguments = _command_line(config)
    plan = Plan(
        id=config.container_id,
        status_path=status_path,
        leaves_trace=True,
        ends_with_forker=not config.lives_on,
        stdout=f"{config.directory}/stdout",
        stderr=f"{config.directory}/stderr",
        directory=config.directory,
        program=program,
        arguments=arguments,
        environment=_variables(config.environment) | _variables(config.command.environment),
    )
    plan["environment"].setdefault("PATH", DEFAULT_PATH)
    if switch_user and config.command.user:
        plan["user"] = _user(config.command.user)
    return plan


def _command_line(config: ContainerConfig) -> tuple[str, list[str]]:
    command = config.command
    if not command.value:
        raise ContainerError("the command is empty")
    if "\0" in command.value or any("\0" in argument for argument in command.arguments):
        raise ContainerError("the command holds a NUL character, which no program can be given")
    if command.shell:
        return "/bin/sh", ["sh", "-c", command.value]
    return command.value, list(command.arguments or (command.value,))


def _variables(environment: Environment) -> dict[str, str]:
    variables = {}
    for variable in environment.variables:
        try:
            value = value_of(variable)
        except ValueError as error:
            raise ContainerError(str(error)) from None
        if not variable.name or "=" in variable.name or "\0" in variable.name + value:
            raise ContainerError(f"the variable {variable.name!r} has no proper name, or a NUL character in its value")
        variables[variable.name] = value
    return variables


def _user(name: str) -> tuple[int, int, list[int]]:
    """The ids of a user, of its group and of all its groups."""
    try:
        entry = pwd.getpwnam(name)
    except (KeyError, ValueError):
        raise ContainerError(f"there is no user {name!r} on this machine") from None
    return entry.pw_uid, entry.pw_gid, os.getgrouplist(name, entry.pw_gid)
