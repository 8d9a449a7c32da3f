"""What a node answers, told by itself: `/help`, from the routes of its actors."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import partial
from typing import Any

from libprocess.http.exchange import HttpRequest, HttpResponse
from libprocess.http.routes import Route
from libprocess.process import Process


class HelpProcess(Process):
    """Lists every route."""

    def initialize(self) -> None:
        """The first turn."""
        self.route("/*", self.help)

    def help(self, request: HttpRequest) -> HttpResponse:
        """Every route, or those below a path such as /help/master."""
        wanted = f"/{request.below}".rstrip("/")
        routes = self._runtime.routes.all()
        found = {path: route for path, route in routes.items() if path.startswith(f"{wanted}/") or path == wanted}
        if not found:
            return HttpResponse.error(404, f"404 Not Found. There is no route below {wanted}.")
        return HttpResponse.text("".join(_line(path, route) for path, route in sorted(found.items())))


def _line(path: str, route: Route) -> str:
    methods = ",".join(method for method in route.methods if method != "HEAD")
    return f"{methods:<9} {path.rstrip('/'):<32} {summary(route)}\n"


def summary(route: Route) -> str:
    """What a route's handler says of itself."""
    return next(filter(None, _docs(route.handler)), "").partition("\n")[0]


def _docs(handler: Any) -> Iterator[str]:
    """What a handler is about: that may be the function, or one that this one is given."""
    if isinstance(handler, partial):
        for each in handler.args:
            if inspect.isroutine(each) or isinstance(each, partial):
                yield from _docs(each)
        handler = handler.func
    yield inspect.getdoc(handler) or ""
