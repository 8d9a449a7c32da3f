"""The web page of an actor: files that lie beside its code."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from libprocess.http.exchange import HttpRequest, HttpResponse
from libprocess.http.routes import RouteHandler

TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A page of ours runs its own scripts, talks with its own server, and is nobody's frame."""

HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-cache"),
)


def web_page(packages: Sequence[str]) -> tuple[RouteHandler, RouteHandler]:
    """Handlers for the page, and for the files that it consists of: those in `webui` of the packages, first found."""
    files: dict[str, bytes] = {}
    for package in reversed(packages):
        for each in (resources.files(package) / "webui").iterdir():
            if each.name.rpartition(".")[2] in TYPES:
                files[each.name] = each.read_bytes()

    def page(request: HttpRequest) -> HttpResponse:
        """The web page."""
        return _response("index.html", files["index.html"])

    def file(request: HttpRequest) -> HttpResponse:
        """What the web page consists of."""
        body = files.get(request.below)
        return HttpResponse.error(404) if body is None else _response(request.below, body)

    return page, file


def _response(name: str, body: bytes) -> HttpResponse:
    return HttpResponse(200, body, TYPES[name.rpartition(".")[2]], HEADERS)
