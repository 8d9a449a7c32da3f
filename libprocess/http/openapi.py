"""The description of a node's HTTP API, made from its routes: `/openapi.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from libprocess.http.exchange import HttpRequest, HttpResponse
from libprocess.http.help import summary
from libprocess.http.routes import Route
from libprocess.process import Process
from libprocess.version import VERSION

Json: TypeAlias = dict[str, Any]

BELOW = "below"
STATUSES = {
    "400": "What was asked cannot be read.",
    "401": "Somebody must say who they are.",
    "403": "They may not.",
    "404": "There is no such thing.",
    "405": "Not by this method.",
    "409": "It cannot be done now.",
    "503": "It cannot be answered now.",
}


class OpenApiProcess(Process):
    """Tells what can be asked."""

    def initialize(self) -> None:
        """The first turn."""
        self.route("/", self.openapi)

    def openapi(self, request: HttpRequest) -> HttpResponse:
        """This node's routes as OpenAPI describes them."""
        routes = self._runtime.routes
        root = f"/{routes.root}/"
        known = {
            f"/{path.removeprefix(root)}" if path.startswith(root) else path: route
            for path, route in routes.all().items()
        }
        return HttpResponse.json(describe(known, routes.root or "libprocess"))


def describe(routes: Mapping[str, Route], title: str) -> Json:
    """An OpenAPI document of these routes."""
    paths: Json = {}
    schemas: Json = {}
    for path, route in sorted(routes.items()):
        about = route.told()
        schemas |= about.schemas
        name, parameters = _place(path, route)
        item = paths.setdefault(name, {})
        for method in route.methods:
            item[method.lower()] = _operation(method, route, parameters)
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": VERSION},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _place(path: str, route: Route) -> tuple[str, list[Json]]:
    """A path in OpenAPI's words, and what varies in it."""
    path = path.rstrip("/") or "/"
    parameters = [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
        for name, text in route.told().query.items()
    ]
    if path.endswith("/*") and not route.told().below:
        return path[:-2] or "/", parameters
    if path.endswith("/*"):
        below = {"name": BELOW, "in": "path", "required": True, "schema": {"type": "string"}}
        return f"{path[:-1]}{{{BELOW}}}", [below, *parameters]
    return path, parameters


def _operation(method: str, route: Route, parameters: list[Json]) -> Json:
    about = route.told()
    answers = {status: {"description": text} for status, text in STATUSES.items()}
    answer: Json = {"description": "The answer."}
    if about.answer:
        answer["content"] = _content(about.answer)
    shown: Json = {
        "summary": summary(route),
        "responses": {"200": answer, "202": {"description": "It will be done."}, **answers},
    }
    if parameters:
        shown["parameters"] = parameters
    if about.body and method in ("POST", "PUT"):
        shown["requestBody"] = {"required": True, "content": _content(about.body)}
    return shown


def _content(schemas: Mapping[str, Any]) -> Json:
    return {media: {"schema": schema} for media, schema in schemas.items()}
