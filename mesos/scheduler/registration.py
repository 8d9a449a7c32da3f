"""Keeps a framework registered with whoever is the master: what the actor of every scheduler begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec.structs import replace

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.process import ExitedMessage, Process
from libprocess.timers import Timer
from mesos.access.authenticatee import Authenticatee
from mesos.access.credentials import Credential
from mesos.detector import MasterDetectedMessage
from mesos.driver import News
from mesos.ids import FrameworkID
from mesos.messages import (
    FrameworkErrorMessage,
    FrameworkRegisteredMessage,
    FrameworkReregisteredMessage,
    RegisterFrameworkMessage,
    ReregisterFrameworkMessage,
)
from mesos.types import FrameworkInfo, MasterInfo
from mesos.types.constraint import OfferConstraints

BACKOFF_MIN_SECONDS = 2.0
SPREAD_SECONDS = 0.5
"""Over so long frameworks spread that have lost their master at one moment, and found one again."""
BACKOFF_MAX_SECONDS = 60.0
BACKOFFS_WITHIN_FAILOVER = 10
"""A framework that may be gone for so long only, must have tried several times by then."""


Detect: TypeAlias = Callable[[PID], Process]
"""Makes the actor that will send MasterDetectedMessages to this PID."""


class RegisterAgainMessage(Message, frozen=True):
    """Scheduler → itself: there should have been an answer by now."""


class Registration(Authenticatee):
    """Registers, with back-off until there is an answer, and again whenever the master is another one.

    A framework that has its id already is taken over from whichever scheduler it had before.
    """

    def __init__(
        self,
        framework: FrameworkInfo,
        detect: Detect,
        deliver: Callable[[News], None],
        suppressed_roles: tuple[str, ...] = (),
        offer_constraints: tuple[OfferConstraints, ...] = (),
        credential: Credential | None = None,
    ) -> None:
        """With a `credential` it proves to every master, before it registers, whose the framework is."""
        self.credential = credential
        if credential is not None and not framework.principal:
            framework = replace(framework, principal=credential.principal)
        self._framework = framework
        self._detect = detect
        self._deliver = deliver
        self._suppressed = set(suppressed_roles)
        self._constraints = offer_constraints
        self._takes_over = framework.id is not None
        self._registered_once = False
        self._master: MasterInfo | None = None
        self._connected = False
        self._aborted = False
        self._backoff_seconds = 0.0
        self._retry: Timer | None = None

    def initialize(self) -> None:
        self._detector = self.spawn(self._detect(self.pid))

    def finalize(self) -> None:
        self.terminate(self._detector)

    # What it is part of says.

    def _has_connected(self) -> None:
        """The framework is registered, and the scheduler knows."""
        raise NotImplementedError

    def _has_lost_master(self) -> None:
        """Nothing more can be asked of the master that was."""
        raise NotImplementedError

    # What it does.

    def master_detected(self, message: MasterDetectedMessage) -> None:
        if self.sender != self._detector:
            return
        self._lose_master()
        self._master = message.master
        if self._master is None or self._aborted:
            return
        self.link(self._master.pid)
        self._backoff_seconds = self._backoff_limit(BACKOFF_MIN_SECONDS)
        if self._registered_once:  # every framework has lost its master just now: spread them
            spread_seconds = min(SPREAD_SECONDS, self._backoff_seconds)
            self._retry = self.delay(self.chance.uniform(0, spread_seconds), RegisterAgainMessage())
        else:
            self._register()

    def exited(self, message: ExitedMessage) -> None:
        if self._master is not None and message.pid == self._master.pid:
            self._lose_master()  # the detector will tell who comes next

    def register_again(self, message: RegisterAgainMessage) -> None:
        if self.sender == self.pid and self._master is not None and not self._connected:
            self._register()

    def framework_registered(self, message: FrameworkRegisteredMessage) -> None:
        if self._is_from_master() and not self._connected:
            self._connect(message.framework_id)
            self._tell("registered", message.framework_id, message.master_info)
            self._has_connected()

    def framework_reregistered(self, message: FrameworkReregisteredMessage) -> None:
        if self._is_from_master() and not self._connected:
            self._connect(message.framework_id)
            self._tell("reregistered", message.master_info)
            self._has_connected()

    def framework_error(self, message: FrameworkErrorMessage) -> None:
        if self._is_from_master():
            self._not_identified(message.message)
            self._framework = replace(self._framework, id=None)  # it may have another scheduler now: leave it alone

    def _not_identified(self, reason: str) -> None:
        self._tell("error", reason)
        self._aborted = True
        self._cancel_retry()

    def _register_identified(self) -> None:
        self._cancel_retry()
        if not self._connected and not self._aborted:
            self._register()

    def _register(self) -> None:
        assert self._master is not None
        suppressed = tuple(sorted(self._suppressed))
        if self._identify(self._master.pid):
            pass  # and register when that is done
        elif self._framework.id is None:
            self.send(self._master.pid, RegisterFrameworkMessage(self._framework, suppressed, self._constraints))
        else:
            takes_over = self._takes_over and not self._registered_once
            message = ReregisterFrameworkMessage(self._framework, takes_over, suppressed, self._constraints)
            self.send(self._master.pid, message)
        self._retry = self.delay(self._backoff_seconds * self.chance.uniform(0.5, 1.0), RegisterAgainMessage())
        self._backoff_seconds = self._backoff_limit(2 * self._backoff_seconds)

    def _backoff_limit(self, seconds: float) -> float:
        failover_seconds = self._framework.failover_timeout_seconds or BACKOFFS_WITHIN_FAILOVER * BACKOFF_MAX_SECONDS
        return min(seconds, BACKOFF_MAX_SECONDS, failover_seconds / BACKOFFS_WITHIN_FAILOVER)

    def _connect(self, framework_id: FrameworkID) -> None:
        self._framework = replace(self._framework, id=framework_id)
        self._connected = self._registered_once = True
        self._cancel_retry()

    def _lose_master(self) -> None:
        if self._master is not None:
            self.unlink(self._master.pid)
        self._master = None
        self._is_identified = False
        self._cancel_retry()
        self._has_lost_master()
        if self._connected:
            self._connected = False
            self._tell("disconnected")

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _is_from_master(self) -> bool:
        return self._master is not None and self.sender == self._master.pid

    def _tell(self, callback: str, *arguments: Any) -> None:
        if not self._aborted:
            self._deliver(News(callback, arguments))
