"""Secrets in what frameworks ask to run: taken out of what is shown, and told to the container that is to have them."""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from mesos.types import (
    CommandInfo,
    ContainerInfo,
    Environment,
    ExecutorInfo,
    Secret,
    SecretType,
    Task,
    Variable,
    VariableType,
    Volume,
)

T = TypeVar("T", Task, ExecutorInfo)


def without_secrets(this: T) -> T:
    """The same, fit to be shown: with the names of its secrets, and not what they are."""
    if isinstance(this, ExecutorInfo) and this.command is not None:
        this = replace(this, command=_command(this.command))
    if this.container is not None and any(_holds_secret(volume) for volume in this.container.volumes):
        this = replace(this, container=_container(this.container))
    return this


def value_of(variable: Variable) -> str:
    """What a variable is set to. ValueError for a secret that is given by a name, or that is no text."""
    if variable.type is not VariableType.SECRET:
        return variable.value
    if variable.secret is None or variable.secret.type is not SecretType.VALUE:
        raise ValueError(f"expected the secret of variable {variable.name!r} itself, found a reference to it")
    try:
        return variable.secret.value.decode()
    except UnicodeDecodeError:
        raise ValueError(f"expected the secret of variable {variable.name!r} to be UTF-8 text") from None


def _command(command: CommandInfo) -> CommandInfo:
    if not any(variable.secret is not None for variable in command.environment.variables):
        return command
    variables = tuple(
        replace(variable, secret=_hidden(variable.secret)) if variable.secret is not None else variable
        for variable in command.environment.variables
    )
    return replace(command, environment=Environment(variables))


def _holds_secret(volume: Volume) -> bool:
    return volume.source is not None and volume.source.secret is not None


def _container(container: ContainerInfo) -> ContainerInfo:
    return replace(container, volumes=tuple(map(_volume, container.volumes)))


def _volume(volume: Volume) -> Volume:
    source = volume.source
    if source is None or source.secret is None:
        return volume
    return replace(volume, source=replace(source, secret=_hidden(source.secret)))


def _hidden(secret: Secret) -> Secret:
    return replace(secret, value=b"")
