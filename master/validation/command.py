"""Checks of commands: the files they fetch and the environment they start with."""

from __future__ import annotations

from collections.abc import Iterator

from master.validation.common import first
from mesos.types import URI, CommandInfo, Secret, SecretType, Variable, VariableType


def check_command(command: CommandInfo) -> str | None:
    """Whether there is something to run, and all that it needs can be given."""
    return first(_complaints(command))


def _complaints(command: CommandInfo) -> Iterator[str | None]:
    yield from map(_check_uri, command.uris)
    yield from map(_check_variable, command.environment.variables)


def _check_uri(uri: URI) -> str | None:
    if not uri.value:
        return "expected the value of every URI, found ''"
    if uri.output_file.startswith("/") or ".." in uri.output_file.split("/"):
        return f"expected an output_file inside the sandbox, found {uri.output_file!r}"
    return None


def _check_variable(variable: Variable) -> str | None:
    if not variable.name or "=" in variable.name or "\0" in variable.name + variable.value:
        return f"expected the name of a variable without '=' and no zero bytes, found {variable.name!r}"
    if variable.type is VariableType.SECRET:
        wrong = "expected a secret, found none" if variable.secret is None else check_secret(variable.secret)
        wrong = wrong or ("expected a secret alone, found a value beside it" if variable.value else None)
    else:
        wrong = "expected a value alone, found a secret beside it" if variable.secret is not None else None
    return f"variable {variable.name}: {wrong}" if wrong else None


def check_secret(secret: Secret) -> str | None:
    """Whether a secret is what its type says. The secret itself is never in the text."""
    if secret.type is SecretType.REFERENCE and secret.reference is None:
        return "expected a secret of type REFERENCE to have a reference, found none"
    if secret.type is SecretType.VALUE and not secret.value:
        return "expected a secret of type VALUE to have a value, found none"
    if secret.type is SecretType.VALUE and b"\0" in secret.value:
        return "expected the value of a secret without zero bytes, found one"
    return None
