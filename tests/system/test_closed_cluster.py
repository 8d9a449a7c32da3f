"""A cluster with all its doors closed: HTTPS, keys on every link, and only principals that prove who they are.

What they prove it with is planted so that it can be found: it is in nothing that any of the programs says.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from libprocess.http.authentication import make_token
from libprocess.zeromq import add_known, create_keys, read_keys
from tests.system.programs import finished
from tests.system.waiting import eventually
from tools.local.cluster import free_ports
from tools.local.daemon import Daemon

SECONDS = 60.0
HOST = "127.0.0.1"
PLANTED = {
    "ada": "planted-secret-of-ada",
    "node": "planted-secret-of-node",
    "token key": "planted-key-of-tokens-which-is-long",
}
ACLS = {
    "permissive": True,
    "register_frameworks": [
        {"principals": {"values": ["ada"]}, "roles": {"type": "ANY"}},
        {"principals": {"type": "ANY"}, "roles": {"type": "NONE"}},
    ],
    "view_flags": [
        {"principals": {"values": ["ada"]}, "flags": {"type": "ANY"}},
        {"principals": {"type": "ANY"}, "flags": {"type": "NONE"}},
    ],
}


@dataclass
class Closed:
    """Such a cluster."""

    directory: Path
    master: Daemon
    agent: Daemon
    address: str
    agent_address: str

    def file(self, name: str) -> str:
        """Where something was written for it."""
        return str(self.directory / name)

    def get(self, url: str, authorization: str = "") -> tuple[int, str]:
        """What a page says to somebody who believes the cluster's authority."""
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        request = urllib.request.Request(f"https://{url}", headers={"Authorization": authorization})
        try:
            with urllib.request.urlopen(request, timeout=SECONDS, context=context) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    @property
    def is_up(self) -> bool:
        """Whether the agent has registered."""
        try:
            return bool(json.loads(self.get(f"{self.address}/slaves", basic("ada"))[1])["slaves"])
        except (OSError, ValueError, KeyError):
            return False


def basic(principal: str) -> str:
    words = f"{principal}:{PLANTED[principal]}".encode()
    return f"Basic {base64.b64encode(words).decode()}"


def write(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def make_certificates(directory: Path) -> dict[str, str]:
    """For this machine, by an authority of its own; returns the variables that say where they are."""
    authority = trustme.CA()
    certificate = authority.issue_cert(HOST)
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(directory / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(directory / "cert.pem"))
    files = {
        name: str(directory / f"{name.partition('_')[0].lower()}.pem") for name in ("CA_FILE", "KEY_FILE", "CERT_FILE")
    }
    return {"LIBPROCESS_SSL_ENABLED": "true"} | {f"LIBPROCESS_SSL_{name}": path for name, path in files.items()}


def make_keys(directory: Path, master: str, agent: str) -> None:
    """A pair for each, of whom the master knows all, and the others the master; the tool and the agent also meet."""
    public = {name: create_keys(directory / name).public for name in ("master", "agent", "framework", "tool")}
    for name in ("agent", "framework", "tool"):
        add_known(directory / "master", name, public[name])
        add_known(directory / name, master, public["master"])
    add_known(directory / "agent", "tool", public["tool"])
    add_known(directory / "tool", agent, public["agent"])


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    directory = tmp_path_factory.mktemp("closed")
    port, actor_port, agent_port, agent_actor_port = free_ports(4)
    make_keys(directory, f"{HOST}:{actor_port}", f"{HOST}:{agent_actor_port}")
    token_key = write(directory / "token.key", PLANTED["token key"])
    everybody = {"credentials": [{"principal": name, "secret": PLANTED[name]} for name in ("ada", "node")]}
    credentials = write(directory / "credentials", json.dumps(everybody))
    for name in ("ada", "node"):
        write(directory / f"{name}.credential", f"{name} {PLANTED[name]}")
    write(directory / "wrong.credential", "ada planted-secret-that-is-wrong")
    acls = write(directory / "acls", json.dumps(ACLS))
    common = ("--authenticate_http_readonly", "--authenticate_http_readwrite", f"--jwt_secret_key={token_key}")
    common += (f"--acls=file://{acls}", "--logging_level=DEBUG")
    master = Daemon(
        "master",
        "master",
        [
            *(f"--work_dir={directory / 'master-work'}", f"--port={port}", f"--actor_port={actor_port}", *common),
            *(f"--keys={directory / 'master'}", f"--credentials={credentials}"),
            *("--authenticate_frameworks", "--authenticate_agents", "--authenticate_http_frameworks"),
        ],
        directory / "master.log",
    )
    agent = Daemon(
        "agent",
        "agent",
        [
            *(f"--work_dir={directory / 'agent-work'}", f"--port={agent_port}", f"--actor_port={agent_actor_port}"),
            *(*common, f"--master={HOST}:{port}", f"--keys={directory / 'agent'}", "--resources=cpus:2;mem:512"),
            *(f"--credential={directory / 'node.credential'}", f"--http_credentials={credentials}"),
            *("--authenticate_http_executors", "--registration_backoff_factor=100ms"),
        ],
        directory / "agent.log",
    )
    cluster = Closed(directory, master, agent, f"{HOST}:{port}", f"{HOST}:{agent_port}")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in make_certificates(directory).items():
            patch.setenv(name, value)
        try:
            master.start()
            agent.start()
            eventually(lambda: cluster.is_up, lambda: f"it is up: {master.last_words()}\n{agent.last_words()}")
            yield cluster
        finally:
            agent.stop(SECONDS)
            master.stop(SECONDS)


def run(closed: Closed, credential: str, keys: str = "framework", program: str = "mesos-run") -> Any:
    flags = [f"--master={closed.address}", f"--keys={closed.file(keys)}"]
    flags += [f"--credential={closed.file(credential)}"] if credential else []
    return finished(program, *flags, "echo", "done")


def test_who_has_a_key_and_proves_its_principal_has_its_work_done(closed: Closed):
    done = run(closed, "ada.credential")
    assert done.returncode == 0, done.stderr + closed.agent.last_words()


def test_executors_of_frameworks_are_let_in_by_their_agent(closed: Closed):
    flags = [f"--master={closed.address}", f"--keys={closed.file('framework')}", "--cpus=0.5"]
    flags += [f"--credential={closed.file('ada.credential')}"]
    done = finished("mesos-batch", *flags, "echo line {}", input="1\n2\n")
    assert (done.returncode, done.stdout) == (0, "line 1\nline 2\n"), done.stderr + closed.agent.last_words()


@pytest.mark.parametrize(
    ("credential", "told"),
    [
        ("", "Not authenticated"),
        ("wrong.credential", "Failed to authenticate"),
        ("node.credential", "principal 'node' may not register_frameworks with roles '*'"),
    ],
)
def test_anybody_else_is_told_why_not(closed: Closed, credential: str, told: str):
    refused = run(closed, credential)
    assert refused.returncode == 2
    assert told in refused.stderr


def test_pages_are_for_those_who_prove_who_they_are(closed: Closed):
    token = make_token({"sub": "ada", "exp": time.time() + 60}, PLANTED["token key"].encode())
    old = make_token({"sub": "ada", "exp": time.time() - 60}, PLANTED["token key"].encode())
    for address in (closed.address, closed.agent_address):
        assert closed.get(f"{address}/health")[0] == 200
        assert closed.get(f"{address}/state")[0] == 401
        assert closed.get(f"{address}/state", basic("ada"))[0] == 200
        assert closed.get(f"{address}/state", f"Bearer {token}")[0] == 200
        assert closed.get(f"{address}/state", f"Bearer {old}")[0] == 401
        assert closed.get(f"{address}/flags", basic("ada"))[0] == 200
        assert closed.get(f"{address}/flags", basic("node"))[0] == 403


def test_the_command_line_proves_who_it_is(closed: Closed):
    ask = ("explain", f"--master={closed.address}", "--framework=none")
    refused = finished("tools.cli", *ask)
    assert "401" in refused.stderr
    answered = finished("tools.cli", *ask, f"--credential={closed.file('ada.credential')}")
    assert "there is no framework 'none'" in answered.stderr


def test_who_is_let_in_sees_what_all_nodes_did(closed: Closed, tmp_path: Path):
    ask = ("flight", f"--master={closed.address}", f"--output={tmp_path}")
    credential, keys = f"--credential={closed.file('ada.credential')}", f"--keys={closed.file('tool')}"
    assert "401" in finished("mesos-trace", *ask, keys).stderr
    assert "does not answer" in finished("mesos-trace", *ask, credential).stderr
    done = finished("mesos-trace", *ask, credential, keys)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("*.trace"))) == 2


def test_nothing_that_is_said_anywhere_tells_a_secret(closed: Closed):
    said = [closed.file("master.log"), closed.file("agent.log")]
    texts = [Path(path).read_text() for path in said]
    for address in (closed.address, closed.agent_address):
        for path in ("state", "flags", "metrics/snapshot", "__processes__", "files/debug"):
            status, text = closed.get(f"{address}/{path}", basic("ada"))
            assert status in (200, 404)
            texts.append(text)
    works = (closed.directory / "master-work", closed.directory / "agent-work")
    texts += [path.read_text(errors="replace") for work in works for path in work.rglob("*") if path.is_file()]
    secrets = [*PLANTED.values(), "planted-secret", *(basic(name).split()[1] for name in ("ada", "node"))]
    secrets += [read_keys(closed.directory / name).secret for name in ("master", "agent", "framework", "tool")]
    assert len(texts) > 10
    for secret in secrets:
        assert not any(secret in text for text in texts)
    shown = json.loads(closed.get(f"{closed.address}/flags", basic("ada"))[1])["flags"]
    assert shown["credentials"] == closed.file("credentials"), "where they are is no secret"
