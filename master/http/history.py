"""What became of tasks that ended, also under masters before this one: /history."""

from __future__ import annotations

from libprocess.http import HttpRequest, HttpResponse
from master.history.query import read_query
from master.http.endpoints import Endpoints
from mesos.types.history import EndedTask


class TaskHistories(Endpoints):
    """Looks up, and lets the history answer."""

    def serve(self) -> None:
        """See Endpoints."""
        super().serve()
        self.route("/history", self._find_tasks)

    def _find_tasks(self, request: HttpRequest) -> HttpResponse | None:
        sight = self.sight

        def may_be_seen(task: EndedTask) -> bool:
            return sight.all_of((("view_frameworks", task.user), ("view_tasks", task.user)))

        restricted = self.flags.rights.restrict("view_frameworks", "view_tasks")
        try:
            query = read_query(request, may_be_seen if restricted else None)
        except ValueError as error:
            return HttpResponse.error(400, str(error))
        self.history.find(self.sender, query)
        return None
