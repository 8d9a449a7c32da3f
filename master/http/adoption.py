"""Taking back frameworks that ended: in Mesos an id that was removed once is lost for ever to its scheduler."""

from __future__ import annotations

from libprocess.http import HttpRequest, HttpResponse
from master.dialogues.base import log
from master.dialogues.frameworks import Frameworks
from master.http.listings import Listings
from mesos.ids import FrameworkID


class Adoption(Listings, Frameworks):
    """POST /adopt: a framework that was removed may register with its id again."""

    def serve(self) -> None:
        """See Endpoints."""
        super().serve()
        self.route("/adopt", self._adopt, methods=("POST",))

    def _adopt(self, request: HttpRequest) -> HttpResponse:
        """Forget that it was removed. Its tasks were killed then; what an agent out of reach still runs of it lives."""
        id_ = FrameworkID(request.form("frameworkId"))
        framework = self.cluster.completed.get(id_)
        if framework is None:
            if id_ in self.cluster.frameworks:
                return HttpResponse.error(409, f"framework {id_} was not removed: there is nothing to adopt")
            known = ", ".join(f"{each.id} ({each.info.name})" for each in self.cluster.completed.values()) or "none"
            return HttpResponse.error(
                404, f"expected the frameworkId of one that ended, found '{id_}'; there are {known}"
            )
        forbidden = self.forbidden(("teardown_frameworks", framework.info.principal or None))
        if forbidden is not None:
            return forbidden
        log.info("framework %s (%s) may come back: an operator said so", id_, framework.info.name)
        self.cluster.adopt_framework(framework)
        return HttpResponse.json({"framework_id": id_, "name": framework.info.name})
