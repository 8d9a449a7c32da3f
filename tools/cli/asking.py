"""Asking a master over HTTP. What goes wrong is told in one line."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlencode

import msgspec

from libprocess.errors import OperatorError

TIMEOUT_SECONDS = 30.0


class Master:
    """A master's web address, `host:port`. It may name another one, which leads."""

    def __init__(self, address: str) -> None:
        host, _, port = address.removeprefix("http://").rstrip("/").rpartition(":")
        if not host or not port.isdecimal():
            raise OperatorError(f"--master: expected HOST:PORT, found {address!r}")
        self._address = f"{host}:{port}"

    def get(self, path: str, **query: str) -> Any:
        """What the master says there, read from JSON. OperatorError if it cannot be reached, or refuses."""
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT_SECONDS)
        given = {name: value for name, value in query.items() if value}
        try:
            connection.request("GET", f"{path}?{urlencode(given)}" if given else path)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            text = f"no master answers at {self._address}: {error or type(error).__name__}; name another by --master"
            raise OperatorError(text) from None
        finally:
            connection.close()
        return self._read(path, response.status, body)

    def _read(self, path: str, status: int, body: bytes) -> Any:
        if status != 200:
            text = " ".join(body.decode(errors="replace").split())
            raise OperatorError(f"{self._address}{path} answers {status}: {text}")
        try:
            return msgspec.json.decode(body)
        except msgspec.MsgspecError as error:
            raise OperatorError(f"{self._address}{path}: expected JSON as a master writes it: {error}") from None
