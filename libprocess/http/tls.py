"""TLS for HTTP, set up by the variables that libprocess has for it: `LIBPROCESS_SSL_ENABLED` and those below.

    LIBPROCESS_SSL_CERT_FILE, LIBPROCESS_SSL_KEY_FILE     who this node is; a server needs both
    LIBPROCESS_SSL_CA_FILE, LIBPROCESS_SSL_CA_DIR         who is believed; otherwise whom the system believes
    LIBPROCESS_SSL_VERIFY_SERVER_CERT                     whether a server has to prove who it is: true unless said
    LIBPROCESS_SSL_REQUIRE_CLIENT_CERT                    whether a client has to: false unless said

All programs read them: servers, and whoever asks one.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from libprocess.errors import OperatorError
from libprocess.flags.kinds import parse_switch

PREFIX = "LIBPROCESS_SSL_"
HANDED_ON = ("ENABLED", "CA_FILE", "CA_DIR", "VERIFY_SERVER_CERT")
"""What a program needs to know that talks to this node."""


@dataclass(frozen=True)
class Tls:
    """Where certificates are, and who has to have one."""

    cert_file: str = ""
    key_file: str = ""
    ca_file: str = ""
    ca_dir: str = ""
    verify_server_cert: bool = True
    require_client_cert: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self | None:
        """What the variables say; None if TLS is not enabled."""

        def switch(name: str, default: str, older: str = "") -> bool:
            text = environ.get(PREFIX + name) or environ.get(PREFIX + older) or default
            try:
                return parse_switch(text)
            except ValueError as error:
                raise OperatorError(f"{PREFIX}{name}: {error}") from None

        if not switch("ENABLED", "false"):
            return None
        if switch("SUPPORT_DOWNGRADE", "false"):
            raise OperatorError(f"{PREFIX}SUPPORT_DOWNGRADE: expected false, found true: a port speaks HTTPS or HTTP")
        files = {
            name.lower(): environ.get(PREFIX + name, "") for name in ("CERT_FILE", "KEY_FILE", "CA_FILE", "CA_DIR")
        }
        return cls(
            **files,
            verify_server_cert=switch("VERIFY_SERVER_CERT", "true", "VERIFY_CERT"),
            require_client_cert=switch("REQUIRE_CLIENT_CERT", "false", "REQUIRE_CERT"),
        )

    def server(self) -> ssl.SSLContext:
        """For a socket that listens. OperatorError says what is wrong with the files."""
        if not self.cert_file or not self.key_file:
            raise OperatorError(f"{PREFIX}CERT_FILE and {PREFIX}KEY_FILE are required to serve HTTPS")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._load(context)
        if self.require_client_cert:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self) -> ssl.SSLContext:
        """For whoever asks a server; shows its own certificate, if it has one, to those who want to see it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not self.verify_server_cert:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._load(context)
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            if self.cert_file and self.key_file:
                context.load_cert_chain(self.cert_file, self.key_file)
            if self.ca_file or self.ca_dir:
                context.load_verify_locations(self.ca_file or None, self.ca_dir or None)
            else:
                context.load_default_certs()
        except OSError as error:
            where = ", ".join(filter(None, (self.cert_file, self.key_file, self.ca_file, self.ca_dir)))
            raise OperatorError(f"expected certificates and a key in PEM in {where}: {error}") from None


def handed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a program gets which is to talk to this node."""
    return {PREFIX + name: environ[PREFIX + name] for name in HANDED_ON if PREFIX + name in environ}


def scheme(tls: Tls | None) -> str:
    """What URLs begin with."""
    return "https" if tls is not None else "http"
