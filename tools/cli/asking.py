"""Asking a master over HTTP. What goes wrong is told in one line."""

from __future__ import annotations

import asyncio
import base64
import http.client
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from libprocess.errors import OperatorError
from libprocess.http.tls import Tls
from libprocess.pid import Address
from mesos.access.credentials import Credential, read_credential
from mesos.detector import parse_master, require_master

TIMEOUT_SECONDS = 30.0
ZOOKEEPER_SECONDS = 10.0
REDIRECTED = 307


class Master:
    """A master's web page: that at an address, of the one that it names as leading, or where masters meet."""

    def __init__(self, place: str, credential: str = "", noun: str = "master") -> None:
        """`credential` is a file with what to prove to it with; `noun` is what is there, should it not be a master."""
        self._noun = noun
        self._headers = _authorization(read_credential("credential", credential)) if credential else {}
        self._tls = Tls.from_environment() or (Tls() if place.startswith("https://") else None)
        self._address = str(_leader_of(place))

    def get(self, path: str, **query: str) -> Any:
        """What the master says there, read from JSON. OperatorError if it cannot be reached, or refuses."""
        given = {name: value for name, value in query.items() if value}
        status, body = self._request("GET", f"{path}?{urlencode(given)}" if given else path)
        return self._read(path, status, body)

    def post(self, path: str, **form: str) -> Any:
        """Have something done that a form asks for; returns the answer, read from JSON."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._read(path, *self._request("POST", path, urlencode(form).encode(), headers))

    def call(self, type_: str, body: dict[str, Any]) -> None:
        """Make a call of the operator API that asks for something to be done. OperatorError if that is refused."""
        content = msgspec.json.encode({"type": type_, type_.lower(): body})
        status, answer = self._request("POST", "/api/v1", content, {"Content-Type": "application/json"})
        if status not in (200, 202):
            raise self._refused("/api/v1", status, answer)

    def _request(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[int, bytes]:
        status, answer, leader = self._exchange(self._address, method, path, content, headers)
        if leader:
            status, answer, _ = self._exchange(leader, method, path, content, headers)
        return status, answer

    def _exchange(
        self, address: str, method: str, path: str, content: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes, str]:
        """Status and body of the answer, and the address of who leads, if that is another."""
        connection = self._connection(address)
        try:
            connection.request(method, path, content or None, {**self._headers, **headers})
            response = connection.getresponse()
            leader = urlsplit(response.getheader("Location", "")).netloc if response.status == REDIRECTED else ""
            return response.status, response.read(), leader
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise OperatorError(f"no {self._noun} answers at {address}: {reason}; name another by --master") from None
        finally:
            connection.close()

    def _connection(self, address: str) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(address, timeout=TIMEOUT_SECONDS)
        return http.client.HTTPSConnection(address, timeout=TIMEOUT_SECONDS, context=self._tls.client())

    def _read(self, path: str, status: int, body: bytes) -> Any:
        if status != 200:
            raise self._refused(path, status, body)
        try:
            return msgspec.json.decode(body)
        except msgspec.MsgspecError as error:
            raise OperatorError(f"{self._address}{path}: expected JSON as a master writes it: {error}") from None

    def _refused(self, path: str, status: int, body: bytes) -> OperatorError:
        text = " ".join(body.decode(errors="replace").split())
        return OperatorError(f"{self._address}{path} answers {status}: {text}")


def _leader_of(place: str) -> Address:
    try:
        found = parse_master(place)
    except ValueError as error:
        raise OperatorError(f"--master: {error}") from None
    if isinstance(found, Address):
        return found
    leader = asyncio.run(require_master(found, ZOOKEEPER_SECONDS))
    return Address(leader.hostname, leader.port)


def find(noun: str, rows: list[dict[str, Any]], wanted: str, keys: tuple[str, ...]) -> str:
    """The id of the only one that is called so. OperatorError if there is none, or several."""
    found: list[str] = [row["id"] for row in rows if wanted in [row[key] for key in keys]]
    if len(found) == 1:
        return found[0]
    if found:
        raise OperatorError(f"expected the id of one {noun}, found that {', '.join(found)} are called {wanted!r}")
    known = ", ".join(f"{row[keys[0]]} ({row[keys[1]]})" for row in rows) or "none"
    raise OperatorError(f"there is no {noun} {wanted!r}; there are {known}")


def _authorization(credential: Credential) -> dict[str, str]:
    words = f"{credential.principal}:{credential.secret}".encode()
    return {"Authorization": f"Basic {base64.b64encode(words).decode()}"}
