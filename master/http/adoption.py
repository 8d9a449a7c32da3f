"""Taking back frameworks that ended: in Mesos an id that was removed once is lost for ever to its scheduler."""

from __future__ import annotations

from functools import partial

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.exchange import HttpResponseMessage
from libprocess.pid import PID
from master.dialogues.base import log
from master.dialogues.frameworks import Frameworks
from master.http.listings import Listings
from master.registrar.entries import EndedFrameworkEntry
from master.registrar.operations import ForgetFramework
from mesos.ids import FrameworkID


class Adoption(Listings, Frameworks):
    """POST /adopt: a framework that was removed may register with its id again."""

    def serve(self) -> None:
        """See Endpoints."""
        super().serve()
        self.route("/adopt", self._adopt, methods=("POST",))

    def _adopt(self, request: HttpRequest) -> HttpResponse | None:
        """Forget that it was removed, for all masters to come.

        Its tasks were killed then; what an agent out of reach still runs of it lives.
        """
        id_ = FrameworkID(request.form("frameworkId"))
        framework = self.cluster.ended.get(id_)
        if framework is None:
            if id_ in self.cluster.frameworks:
                return HttpResponse.error(409, f"framework {id_} was not removed: there is nothing to adopt")
            known = (
                ", ".join(f"{each.id} ({each.info.name})" for each in reversed(self.cluster.completed.values()))
                or "none"
            )
            return HttpResponse.error(
                404, f"expected the frameworkId of one that ended, found '{id_}'; there are {known}"
            )
        forbidden = self.forbidden(("teardown_frameworks", framework.info.principal or None))
        if forbidden is not None:
            return forbidden
        log.info("framework %s (%s) may come back: an operator said so", id_, framework.info.name)
        self.write(ForgetFramework(id_), partial(self._adopted, framework, self.sender))
        return None

    def _adopted(self, framework: EndedFrameworkEntry, asker: PID) -> None:
        """It is written down."""
        self.cluster.forget_framework(framework.id)
        answer = HttpResponse.json({"framework_id": framework.id, "name": framework.info.name})
        self.send(asker, HttpResponseMessage(answer))
