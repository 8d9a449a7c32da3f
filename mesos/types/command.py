"""Commands: what to run, with which files fetched and which environment."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from mesos.struct import Struct


class URI(Struct, frozen=True):
    """A file to fetch into the sandbox before the command starts."""

    value: str
    executable: bool = False
    extract: bool = True
    cache: bool = False
    output_file: str = ""


class SecretType(StrEnum):
    """Whether a secret is given itself or by reference."""

    REFERENCE = "REFERENCE"
    VALUE = "VALUE"


class SecretReference(Struct, frozen=True):
    """A secret by the name that a secret store knows it by."""

    name: str
    key: str = ""


class Secret(Struct, frozen=True):
    """Something not to be shown: never in a log, an endpoint or a trace."""

    type: SecretType
    reference: SecretReference | None = None
    value: bytes = b""

    def __repr__(self) -> str:
        return f"Secret({self.type}, ***)"


class VariableType(StrEnum):
    """Whether a variable is plain or secret."""

    VALUE = "VALUE"
    SECRET = "SECRET"


class Variable(Struct, frozen=True):
    """One variable of an environment."""

    name: str
    value: str = ""
    type: VariableType = VariableType.VALUE
    secret: Secret | None = None


class Environment(Struct, frozen=True):
    """The variables a command is started with; of two with the same name the later one counts."""

    variables: tuple[Variable, ...] = ()

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Environment:
        """Plain variables, in the order of their names."""
        return cls(tuple(Variable(name, value) for name, value in sorted(variables.items())))


class CommandInfo(Struct, frozen=True):
    """What to run: a line for the shell, or a program (`shell=False`) with its arguments, the first being its name."""

    value: str = ""
    uris: tuple[URI, ...] = ()
    environment: Environment = Environment()
    shell: bool = True
    arguments: tuple[str, ...] = ()
    user: str = ""
