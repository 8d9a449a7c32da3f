"""Credentials: what principals prove themselves with.

A file holds either JSON, `{"credentials": [{"principal": "ads", "secret": "…"}]}`, or a line for each with the
principal and its secret. What is wrong with it is told without telling what it holds.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec

from libprocess.errors import OperatorError
from libprocess.http.authentication import TOKEN_KEY_BYTES_MIN

log = logging.getLogger("mesos.access")

_SHAPE = '{"credentials": [{"principal": …, "secret": …}, …]}, or lines of a principal and its secret'


class Credential(msgspec.Struct, frozen=True):
    """One principal's."""

    principal: str
    secret: str

    def __repr__(self) -> str:
        return f"Credential({self.principal!r}, ***)"


class _Credentials(msgspec.Struct):
    credentials: list[Credential]


_several = msgspec.json.Decoder(_Credentials)
_one = msgspec.json.Decoder(Credential)


def read_credentials(flag: str, path: str) -> dict[str, str]:
    """The secrets of all principals in a file, by principal. OperatorError says what is wrong with it."""
    text = read_secret(flag, path)
    if not text.startswith("{"):
        return _by_principal(flag, path, _lines(flag, path, text))
    try:
        return _by_principal(flag, path, _several.decode(text).credentials)
    except msgspec.MsgspecError:
        raise OperatorError(f"--{flag}: expected {_SHAPE} in {path}") from None


def read_credential(flag: str, path: str) -> Credential:
    """The one in a file: `{"principal": …, "secret": …}`, or a line of both."""
    text = read_secret(flag, path)
    try:
        if text.startswith("{"):
            return _one.decode(text)
        (only,) = _lines(flag, path, text)
    except ValueError:
        raise OperatorError(f'--{flag}: expected {{"principal": …, "secret": …}} in {path}') from None
    return only


def read_token_key(flag: str, path: str) -> bytes:
    """The key that tokens are signed with."""
    key = read_secret(flag, path).encode()
    if len(key) < TOKEN_KEY_BYTES_MIN:
        raise OperatorError(f"--{flag}: expected at least {TOKEN_KEY_BYTES_MIN} bytes in {path}, found {len(key)}")
    return key


def read_secret(flag: str, path: str) -> str:
    """What a file holds that others should not read."""
    file = Path(path)
    try:
        text = file.read_text().strip()
        mode = file.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise OperatorError(f"--{flag}: expected a readable file, found {path}: {reason}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        log.warning("--%s: others may read %s: chmod 600 it", flag, path)
    return text


def _lines(flag: str, path: str, text: str) -> list[Credential]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if len(words) == 2:
            found.append(Credential(*words))
        elif words:
            raise OperatorError(f"--{flag}: expected a principal and its secret in line {number} of {path}")
    return found


def _by_principal(flag: str, path: str, credentials: Iterable[Credential]) -> dict[str, str]:
    known: dict[str, str] = {}
    for each in credentials:
        if not each.principal or not each.secret:
            raise OperatorError(f"--{flag}: expected no empty principal or secret in {path}")
        if each.principal in known:
            raise OperatorError(f"--{flag}: expected one secret of '{each.principal}' in {path}, found several")
        known[each.principal] = each.secret
    return known
