"""Where an executor is: which agent started it, for which framework. Agents tell it by the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Self

from libprocess.errors import OperatorError
from libprocess.pid import PID
from libprocess.units import parse_duration
from libprocess.zeromq import ANY, Keys
from mesos.ids import ExecutorID, FrameworkID
from mesos.struct import Struct

SHUTDOWN_GRACE_SECONDS = 5.0
INVITATION = "MESOS_EXECUTOR_KEYS"


def invitation(guest: Keys | None) -> str:
    """What an agent with keys leaves in the environment of an executor."""
    return " ".join((guest.public, guest.secret, guest.known[ANY])) if guest is not None else ""


RECOVERY_TIMEOUT = "15mins"


class ExecutorPlace(Struct, frozen=True):
    """What an agent tells an executor before it registers."""

    agent: PID
    framework_id: FrameworkID
    executor_id: ExecutorID
    shutdown_grace_seconds: float = SHUTDOWN_GRACE_SECONDS
    recovery_timeout_seconds: float = 0.0
    """How long it waits for an agent that is gone before it ends; 0 if it is to end with its agent."""
    invitation: str = ""
    """A pair of keys and the agent's public one."""

    @property
    def keys(self) -> Keys | None:
        """With what it may dial an agent that has keys."""
        if not self.invitation:
            return None
        public, secret, agent = self.invitation.split()
        return Keys(public, secret, {ANY: agent})

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the variables that agents set. OperatorError says what is missing or wrong."""
        grace = environ.get("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD")
        recovery = environ.get("MESOS_RECOVERY_TIMEOUT", RECOVERY_TIMEOUT)
        try:
            return cls(
                agent=PID.parse(environ["MESOS_SLAVE_PID"]),
                framework_id=FrameworkID(environ["MESOS_FRAMEWORK_ID"]),
                executor_id=ExecutorID(environ["MESOS_EXECUTOR_ID"]),
                shutdown_grace_seconds=parse_duration(grace) if grace else SHUTDOWN_GRACE_SECONDS,
                invitation=environ.get(INVITATION, ""),
                recovery_timeout_seconds=parse_duration(recovery) if environ.get("MESOS_CHECKPOINT") == "1" else 0.0,
            )
        except KeyError as error:
            raise OperatorError(
                f"expected the variable {error.args[0]}, found none; executors are started by agents, not by hand"
            ) from None
        except ValueError as error:
            raise OperatorError(f"the agent's environment is damaged: {error}") from None
