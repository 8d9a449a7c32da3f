"""A master that may come to lead: it waits its turn, and sends who asks for the master to the one that leads."""

from __future__ import annotations

import logging
from typing import Protocol
from urllib.parse import quote, urlencode

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.gate import OPEN
from libprocess.message import Message
from libprocess.pid import Address
from libprocess.process import Process
from libprocess.version import VERSION
from master.flags import MasterFlags
from mesos.access.gate import name_of
from mesos.detector import MasterDetectedMessage, MasterDetector, MasterFinder
from mesos.detector.zookeeper import CandidacyLostMessage, Contender, ElectedMessage
from mesos.types import MasterInfo

log = logging.getLogger("master")

CANDIDATE = "candidate"
"""The id that a candidate is spawned with."""

AGAIN_SECONDS = 1.0
RETRY = (("Retry-After", "1"),)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Place(Protocol):
    """What a candidate runs for."""

    def take(self) -> None:
        """Lead from now on."""

    def lose(self, reason: str) -> None:
        """Lead no more."""

    def refuse(self, reason: str) -> None:
        """Do not lead before the operator has done something."""


class ContendAgainMessage(Message, frozen=True):
    """Candidate → itself, some time after a candidacy came to nothing."""


class Candidate(Process):
    """Contends for the lead in a master's name, takes the `seat` when it has it, and gives it up when it loses it.

    Who lost the lead does not contend again: this is for the program's next life, which knows nothing of this one's.
    """

    def __init__(
        self, flags: MasterFlags, info: MasterInfo, seat: Place, contender: Contender, finder: MasterFinder
    ) -> None:
        self._flags = flags
        self._info = info
        self._seat = seat
        self._contender = contender
        self._finder = finder
        self._leader: MasterInfo | None = None
        self._leads = False

    def initialize(self) -> None:
        """The first turn: become a candidate, and learn who leads until then."""
        self._detector = self.spawn(MasterDetector(self.pid, self._finder))
        self._contender.contend(self.pid, self._info)
        began = self.now
        self.metrics.gauge("master/elected", lambda: int(self._leads))
        self.metrics.gauge("master/uptime_secs", lambda: self.now - began)
        for prefix in ("", "/master"):  # as the master has them
            self.route(f"{prefix}/health", self._health, access=OPEN)
            self.route(f"{prefix}/version", self._version, access=OPEN)
            self.route(f"{prefix}/flags", self._shown_flags)
            self.route(f"{prefix}/redirect", self._redirect, access=OPEN)
        self.route("/*", self._leader_only, methods=METHODS, access=OPEN)  # it only says where the leader is

    # The election.

    def elected(self, message: ElectedMessage) -> None:
        if not self._is_from_contender():
            return
        log.info("elected: this master leads")
        self._leads = True
        self.terminate(self._detector)
        self._seat.take()

    def candidacy_lost(self, message: CandidacyLostMessage) -> None:
        if not self._is_from_contender():
            return
        if message.is_refused:
            self._seat.refuse(message.reason)
            return
        if self._leads:
            self._seat.lose(f"it does not lead any more: {message.reason}")
            return
        log.warning("no candidate any more: %s; trying again", message.reason)
        self.delay(AGAIN_SECONDS, ContendAgainMessage())

    def contend_again(self, message: ContendAgainMessage) -> None:
        if self.sender == self.pid:
            self._contender.contend(self.pid, self._info)

    def master_detected(self, message: MasterDetectedMessage) -> None:
        if self.sender == self._detector:
            self._leader = message.master

    def _is_from_contender(self) -> bool:
        """Nobody on another node says who is elected here."""
        return self.sender.address == self.pid.address

    # What a standby answers.

    def _health(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    def _version(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.json({"version": VERSION})

    def _shown_flags(self, request: HttpRequest) -> HttpResponse:
        why = self._flags.rights.refusal(name_of(self.principal), "view_flags")
        if why is not None:
            return HttpResponse.forbidden(why)
        return HttpResponse.json({"flags": self._flags.as_dict()})

    def _redirect(self, request: HttpRequest) -> HttpResponse:
        """Where the leading master's page is."""
        return self._at_leader("")

    def _leader_only(self, request: HttpRequest) -> HttpResponse:
        query = f"?{urlencode(request.query)}" if request.query else ""
        return self._at_leader(quote(request.path) + query)

    def _at_leader(self, path: str) -> HttpResponse:
        if self._leader is None or self._leader.id == self._info.id:
            return HttpResponse.error(503, "503 Service Unavailable. No master is known to lead; ask again.", RETRY)
        return HttpResponse.redirect(f"//{Address(self._leader.hostname, self._leader.port)}{path}")
