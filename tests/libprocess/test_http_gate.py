"""Who gets through a node's HTTP door: passwords, tokens, what is disabled, and what actors learn of it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from libprocess import Process
from libprocess.http import HttpRequest, HttpResponse, Principal
from libprocess.http.authentication import Basic, Bearer, Either, make_token
from libprocess.http.gate import OPEN, READ, WRITE, Gate
from libprocess.simulation import World

KEY = b"a key that is as long as it has to be"
NOW = 1_000.0
PASSWORDS = Basic("files", {"ada": "lovelace"})
TOKENS = Bearer("files", KEY, lambda: NOW)


class Clerk(Process):
    """Tells who asks."""

    def initialize(self) -> None:
        self.route("/health", lambda request: HttpResponse(), access=OPEN)
        self.route("/who", self.who)
        self.route("/orders", self.who, methods=("POST",))

    def who(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.json({"who": request.principal and request.principal.value, "headers": request.headers})


def basic(text: str = "ada:lovelace") -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def bearer(key: bytes = KEY, **claims: Any) -> str:
    return f"Bearer {make_token(claims, key)}"


def ask(gate: Gate, path: str, authorization: str = "", method: str = "GET") -> HttpResponse:
    world = World()
    node = world.node("node")
    node.spawn(Clerk(), "clerk")
    world.settle()
    node.routes.guard, node.routes.root = gate, "clerk"
    answers: list[HttpResponse] = []
    headers = (("authorization", authorization), ("accept", "*/*")) if authorization else ()
    node.routes.request(HttpRequest(method, path, headers=headers), answers.append)
    world.settle()
    return answers[0]


def test_a_principal_that_proves_itself_is_told_to_the_actor_and_what_proved_it_is_not():
    response = ask(Gate({READ: PASSWORDS}), "/who", basic())
    assert response.status == 200
    assert response.body == b'{"who":"ada","headers":[["accept","*/*"]]}'


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        basic("ada:byron"),
        basic("ada:"),
        basic("ada"),
        basic("charles:lovelace"),
        "Basic",
        "Basic ¿",
        "Basic YWRh",
        "Digest ada:lovelace",
        basic().replace("Basic", "Bearer"),
    ],
)
def test_whoever_does_not_is_challenged(authorization: str):
    response = ask(Gate({READ: PASSWORDS}), "/who", authorization)
    assert response.status == 401
    assert response.headers == (("WWW-Authenticate", 'Basic realm="files"'),)


def test_each_kind_of_access_is_guarded_by_itself():
    gate = Gate({WRITE: PASSWORDS})
    assert ask(gate, "/health").status == 200
    assert ask(gate, "/who").status == 200
    assert ask(gate, "/orders", method="POST").status == 401
    assert ask(gate, "/orders", basic(), method="POST").status == 200


def test_what_is_open_needs_no_proof():
    assert ask(Gate({READ: PASSWORDS, WRITE: PASSWORDS}), "/health").status == 200


@pytest.mark.parametrize("claims", [{}, {"exp": NOW + 1}, {"nbf": NOW, "exp": NOW + 0.5}])
def test_a_token_counts_from_when_until_when_it_says(claims: dict[str, Any]):
    request = HttpRequest("GET", "/", headers=(("authorization", bearer(sub="ada", cid="c1", **claims)),))
    principal = TOKENS.authenticate(request)
    assert principal == Principal("ada", (("cid", "c1"), ("sub", "ada")))
    assert principal.claim("cid") == "c1"


@pytest.mark.parametrize(
    "authorization",
    [
        bearer(sub="ada", exp=NOW),
        bearer(sub="ada", nbf=NOW + 1),
        bearer(sub="ada", exp="tomorrow"),
        bearer(KEY[::-1], sub="ada"),
        bearer(sub=7),
        bearer(sub="ada")[:-1],
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.",
        "Bearer x.y.z",
        "Bearer",
        basic(),
    ],
)
def test_any_other_token_proves_nothing(authorization: str):
    request = HttpRequest("GET", "/", headers=(("authorization", authorization),))
    assert TOKENS.authenticate(request) is None


def test_one_of_several_ways_is_enough():
    gate = Gate({READ: Either(PASSWORDS, TOKENS)})
    assert ask(gate, "/who", basic()).status == 200
    assert ask(gate, "/who", bearer(sub="ada")).status == 200
    refused = ask(gate, "/who")
    assert refused.headers == (("WWW-Authenticate", 'Basic realm="files", Bearer realm="files"'),)


@pytest.mark.parametrize("disabled", ["/who", "/clerk/who"])
@pytest.mark.parametrize("path", ["/who", "/who/", "/clerk/who"])
def test_what_is_disabled_is_so_under_all_its_names(disabled: str, path: str):
    response = ask(Gate(disabled=[disabled]), path)
    assert response.status == 403
    assert b"is disabled here" in response.body
    assert ask(Gate(disabled=[disabled]), "/health").status == 200


def test_what_a_principal_may_not_use_is_refused_with_the_reason():
    gate = Gate({READ: PASSWORDS}, may=lambda principal, path: path != "/who")
    response = ask(gate, "/clerk/who", basic())
    assert response.status == 403
    assert response.body == b"""{"error":"principal 'ada' may not use /clerk/who"}"""
