"""HTTPS at a node's door, set up by variables, with certificates made for the test."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
import trustme

from libprocess import Process
from libprocess.edge import open_node
from libprocess.errors import OperatorError
from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.server import HttpServer
from libprocess.http.tls import Tls, handed_on


class Clerk(Process):
    """Says hello."""

    def initialize(self) -> None:
        self.route("/hello", self.hello)

    def hello(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse.text("hello")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An authority that is believed, with a certificate of its own for this machine; and one that is not."""
    directory = tmp_path_factory.mktemp("tls")
    found = {}
    for name in ("", "OTHER_"):
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        paths = {kind: directory / f"{name}{kind}.pem" for kind in ("CA_FILE", "CERT_FILE", "KEY_FILE")}
        authority.cert_pem.write_to_path(str(paths["CA_FILE"]))
        certificate.private_key_pem.write_to_path(str(paths["KEY_FILE"]))
        certificate.cert_chain_pems[0].write_to_path(str(paths["CERT_FILE"]))
        found |= {f"{name}{kind}": str(path) for kind, path in paths.items()}
    return found


def tls(**variables: str) -> Tls:
    made = Tls.from_environment(
        {"LIBPROCESS_SSL_ENABLED": "true"} | {f"LIBPROCESS_SSL_{k}": v for k, v in variables.items()}
    )
    assert made is not None
    return made


def ask(server: Tls, client: Tls, url_scheme: str = "https") -> str:
    """What a client hears from a server."""

    async def talk() -> str:
        async with open_node() as node:
            node.spawn(Clerk(), "clerk")
            door = HttpServer(node, root="clerk", tls=server)
            await door.start()
            assert door.url == f"https://{door.address}"
            try:
                async with (
                    aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
                    session.get(f"{url_scheme}://{door.address}/hello", ssl=client.client()) as response,
                ):
                    return await response.text()
            finally:
                await door.close()

    return asyncio.run(talk())


def own(files: dict[str, str], *kinds: str) -> dict[str, str]:
    return {kind: files[kind] for kind in kinds or ("CA_FILE", "CERT_FILE", "KEY_FILE")}


def test_who_believes_the_authority_is_answered(files: dict[str, str]):
    assert ask(tls(**own(files)), tls(**own(files, "CA_FILE"))) == "hello"


def test_a_server_that_proves_nothing_is_not_believed(files: dict[str, str]):
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        ask(tls(**own(files)), tls(CA_FILE=files["OTHER_CA_FILE"]))


def test_unless_nobody_wants_it_proved(files: dict[str, str]):
    client = tls(CA_FILE=files["OTHER_CA_FILE"], VERIFY_SERVER_CERT="false")
    assert ask(tls(**own(files)), client) == "hello"


def test_a_client_shows_its_certificate_where_that_is_required(files: dict[str, str]):
    server = tls(**own(files), REQUIRE_CLIENT_CERT="true")
    assert ask(server, tls(**own(files))) == "hello"
    with pytest.raises(aiohttp.ClientError):
        ask(server, tls(**own(files, "CA_FILE")))
    stranger = {"CERT_FILE": files["OTHER_CERT_FILE"], "KEY_FILE": files["OTHER_KEY_FILE"]}
    with pytest.raises(aiohttp.ClientError):
        ask(server, tls(CA_FILE=files["CA_FILE"], **stranger))


def test_plain_http_gets_nothing(files: dict[str, str]):
    with pytest.raises(aiohttp.ClientError):
        ask(tls(**own(files)), tls(**own(files, "CA_FILE")), "http")


def test_without_the_variable_there_is_none():
    assert Tls.from_environment({}) is None
    assert Tls.from_environment({"LIBPROCESS_SSL_ENABLED": "0", "LIBPROCESS_SSL_CERT_FILE": "x"}) is None


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "LIBPROCESS_SSL_CERT_FILE and LIBPROCESS_SSL_KEY_FILE are required"),
        (
            {"CERT_FILE": "/no/cert", "KEY_FILE": "/no/key"},
            "expected certificates and a key in PEM in /no/cert, /no/key",
        ),
        ({"VERIFY_CERT": "perhaps"}, "expected true or false, found 'perhaps'"),
        ({"SUPPORT_DOWNGRADE": "true"}, "a port speaks HTTPS or HTTP"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(variables: dict[str, str], told: str):
    with pytest.raises(OperatorError) as error:
        tls(**variables).server()
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_programs_are_told_whom_to_believe_and_no_key():
    variables = {f"LIBPROCESS_SSL_{name}": "x" for name in ("ENABLED", "CA_FILE", "KEY_FILE", "CERT_FILE")}
    assert set(handed_on(variables)) == {"LIBPROCESS_SSL_ENABLED", "LIBPROCESS_SSL_CA_FILE"}
