"""The registry where it really lies: in ZooKeeper, and in a file that outlives its master."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from master.registrar.backend import FailedError, RefusedError
from master.registrar.entries import AgentEntry, Standing, write_entries
from master.registrar.sqlite import FILE
from master.registrar.store import Changes
from master.registrar.zookeeper import PAGES, ZooKeeperBackend, page_of
from mesos.detector.zookeeper import parse_zookeeper
from mesos.ids import AgentID
from tests.system.machines import HERE
from tests.system.programs import finished
from tests.system.zookeeper import ZooKeeper

OPERATORS_FAULT = 2


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeper]:
    with ZooKeeper(tmp_path_factory.mktemp("zookeeper"), [HERE]) as zookeeper:
        yield zookeeper


def backend(zookeeper: ZooKeeper, path: str, id_: str = "m1", credentials: str = "") -> ZooKeeperBackend:
    return ZooKeeperBackend(parse_zookeeper(zookeeper.url(path, credentials)), id_)


def test_what_is_written_is_there_for_the_next_master(zookeeper: ZooKeeper):
    rows = {f"agent/{number}": bytes([number % 256]) * 400 for number in range(5000)}  # more than one transaction takes
    with closing(backend(zookeeper, "lasts")) as first:
        assert first.fetch() == {}
        first.store(dict(rows))
        first.store({"agent/7": None, "agent/8": b"changed"})
    del rows["agent/7"]
    with closing(backend(zookeeper, "lasts", "m2")) as second:
        assert second.fetch() == rows | {"agent/8": b"changed"}


KILLED_IN_BETWEEN = """
import os, signal, sys
from master.registrar.zookeeper import ZooKeeperBackend
from mesos.detector.zookeeper import parse_zookeeper
from tests.system.test_registry import large_batch

class Killed(ZooKeeperBackend):
    left = int(sys.argv[2])

    def _commit(self, client, pages):
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        super()._commit(client, pages)

backend = Killed(parse_zookeeper(sys.argv[1]), "killed")
"""
"""Somebody who is killed before the transaction after so many."""


def large_batch(number: int) -> Changes:
    """Two megabytes that nothing makes smaller."""
    chance = random.Random(number)
    return {f"agent/{name}": bytes([number]) + chance.randbytes(1000) for name in range(2000)}


def be_killed(url: str, transactions: int, what: str) -> None:
    """Have a program do that, and be killed meanwhile."""
    command = [sys.executable, "-c", KILLED_IN_BETWEEN + what, url, str(transactions)]
    assert subprocess.run(command, timeout=60).returncode == -signal.SIGKILL


@pytest.mark.parametrize("transactions", [2, 7])
def test_a_master_killed_within_a_large_batch_leaves_each_entry_as_it_was_or_was_to_be(
    zookeeper: ZooKeeper, transactions: int
):
    path, what = f"killed-{transactions}", "backend.fetch(); [backend.store(large_batch(each)) for each in (1, 2)]"
    be_killed(zookeeper.url(path), transactions, what)
    batches = {number: large_batch(number) for number in (1, 2)}
    with closing(backend(zookeeper, path, "next")) as master:
        found = master.fetch()
        before, meant = ({}, batches[1]) if transactions == 2 else (batches[1], batches[2])
        assert set(found) <= set(meant)
        assert all(found.get(key) in (before.get(key), meant[key]) for key in meant)
        assert {found.get(key) == meant[key] for key in meant} == {True, False}
        master.store(batches[2])
        assert master.fetch() == batches[2]


def test_a_large_batch_is_written_though_zookeeper_is_killed_meanwhile(zookeeper: ZooKeeper):
    with closing(backend(zookeeper, "restarted")) as master:
        master.fetch()
        master.store(large_batch(1))
        writing = threading.Thread(target=master.store, args=(large_batch(2),))
        writing.start()
        zookeeper.restart(0)
        writing.join(60)
        assert master.fetch() == large_batch(2)


def test_a_registry_that_was_being_restored_is_refused_until_it_is(zookeeper: ZooKeeper):
    with closing(backend(zookeeper, "broken-off")) as master:
        master.fetch()
        master.store({"a": b"1"})
        be_killed(zookeeper.url("broken-off"), 1, "backend.replace(large_batch(1))")
        for look in (master.fetch, master.peek):
            with pytest.raises(RefusedError, match=r"being restored when that broke off; restore a backup"):
                look()
        master.replace({"b": b"2"})
        assert master.peek() == master.fetch() == {"b": b"2"}


def test_who_was_deposed_writes_no_more(zookeeper: ZooKeeper):
    with closing(backend(zookeeper, "fence")) as first, closing(backend(zookeeper, "fence", "m2")) as second:
        first.fetch()
        first.store({"a": b"1"})
        assert second.fetch() == {"a": b"1"}
        with pytest.raises(FailedError, match="another master holds the registry at zk://"):
            first.store({"a": b"2"})
        with pytest.raises(FailedError, match="another master holds the registry at zk://"):
            first.store({"b": b"2"})
        second.store({"a": b"3"})
        assert second.peek() == {"a": b"3"}


def test_to_look_takes_it_from_nobody(zookeeper: ZooKeeper):
    with closing(backend(zookeeper, "look")) as master, closing(backend(zookeeper, "look")) as other:
        with pytest.raises(FileNotFoundError, match="there is no registry at zk://"):
            other.peek()
        master.fetch()
        assert other.peek() == {}
        master.store({"a": b"1"})
        assert other.peek() == {"a": b"1"}


def test_credentials_are_needed_to_write(zookeeper: ZooKeeper):
    with closing(backend(zookeeper, "secret", credentials="ann:xyzzy")) as master:
        master.fetch()
        master.store({"a": b"1"})
        with closing(backend(zookeeper, "secret")) as stranger:
            assert stranger.peek() == {"a": b"1"}
            with pytest.raises(FailedError, match="NoAuth"):
                stranger.fetch()


def test_damage_is_refused_and_left_until_it_is_replaced(zookeeper: ZooKeeper):
    with closing(backend(zookeeper, "damage")) as master:
        master.fetch()
        master.store({"a": b"1"})
        page = f"/damage/registry/{page_of('a'):02x}"
        client = zookeeper.client()
        client.set(page, b"rubbish")
        with closing(backend(zookeeper, "damage")) as next_one:
            with pytest.raises(RefusedError, match=r"found damage in .*; restore a backup .* or delete /damage/"):
                next_one.fetch()
            assert client.get(page)[0] == b"rubbish"
            next_one.replace({"b": b"2"})
            assert next_one.fetch() == {"b": b"2"}
            client.create("/damage/registry/stray", b"")
            with pytest.raises(RefusedError, match=r"found stray, which is no page; restore a backup "):
                next_one.fetch()
        client.stop()


def test_one_of_a_newer_version_is_refused_and_left_as_it_is(zookeeper: ZooKeeper):
    newer = b'{"format": 99, "master": "m9"}'
    client = zookeeper.client()
    client.create("/newer/registry", newer, makepath=True)
    with closing(backend(zookeeper, "newer")) as master:
        for look in (master.fetch, master.peek):
            with pytest.raises(RefusedError, match="found one of format 99, which needs a newer version than this"):
                look()
    assert client.get("/newer/registry")[0] == newer
    client.stop()


def test_pages_are_filled_evenly():
    used = {page_of(f"agent/{number}") for number in range(10 * PAGES)}
    assert len(used) == PAGES


def test_a_damaged_registry_is_told_in_one_line_and_left_as_it_is(tmp_path: Path):
    (tmp_path / FILE).write_bytes(b"rubbish" * 1000)
    command = [sys.executable, "-m", "master", f"--work_dir={tmp_path}", "--port=0", "--logging_level=WARNING"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == OPERATORS_FAULT
    assert done.stderr == (
        f"mesos-master: expected a registry at {tmp_path / FILE}, found: file is not a database; restore a backup with "
        f"`python -m tools.cli registry restore FILE --work_dir={tmp_path} --force`, or move {tmp_path / FILE}* away "
        "to begin without: agents and frameworks will register again\n"
    )
    assert (tmp_path / FILE).read_bytes() == b"rubbish" * 1000


def test_it_is_backed_up_restored_and_mended_in_zookeeper(zookeeper: ZooKeeper, tmp_path: Path):
    rows = write_entries(AgentEntry(AgentID(f"S{number}"), Standing.GONE, 1.0) for number in range(100))
    with closing(backend(zookeeper, "kept")) as master:
        master.fetch()
        master.store(dict(rows))
    backup = str(tmp_path / "backup")
    (tmp_path / "zk").write_text(f"{zookeeper.url('other')}\n")
    for action, url in (("backup", zookeeper.url("kept")), ("restore", f"file://{tmp_path}/zk")):
        done = finished("tools.cli", "registry", action, backup, f"--zk={url}")
        assert (done.returncode, done.stderr) == (0, "")
    client = zookeeper.client()
    client.set(f"/other/registry/{page_of('agent/S0'):02x}", b"rubbish")
    client.stop()
    with closing(backend(zookeeper, "other")) as master:
        with pytest.raises(RefusedError, match="found damage") as refused:
            master.fetch()
        command = str(refused.value).split("`")[1].replace("FILE", backup)
        done = finished(*command.removeprefix("python -m ").split())  # as an operator would who reads that
        assert (done.returncode, done.stdout) == (0, "100 entries are restored\n")
        assert master.fetch() == rows
