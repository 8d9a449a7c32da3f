"""The registry in the ZooKeeper ensemble, for masters of which any may have to take over.

Entries lie in pages, `PATH/registry/00` to `ff`, chosen by their keys: a node holds a megabyte at most, and ten
thousand nodes would take long to read. `PATH/registry` itself says who holds the registry. Whoever comes to lead writes
itself there; a change is taken only as long as that is not written over, so a deposed leader changes nothing any more.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
from kazoo.client import KazooClient
from kazoo.exceptions import (
    BadVersionError,
    KazooException,
    NoAuthError,
    NoNodeError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.retry import KazooRetry
from kazoo.security import CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, READ_ACL_UNSAFE

from master.registrar.backend import FailedError, RefusedError
from master.registrar.entries import Rows
from master.registrar.store import Changes, change_rows
from mesos.detector.zookeeper import ZooKeeperUrl
from mesos.detector.zookeeper.client import RETRIES, make_client
from mesos.detector.zookeeper.session import INTERRUPTED

NODE = "registry"
FORMAT = 1
PAGES = 256
PAGE_NAMES = tuple(f"{number:02x}" for number in range(PAGES))
TRANSACTION_BYTES = 512 * 1024
"""ZooKeeper takes a megabyte at a time, the paths and headers included."""

PAGE_BYTES = 900 * 1024
SESSION_SECONDS = 10.0
CONNECT_SECONDS = 30.0
AGAIN_SECONDS = 0.1


class Holder(msgspec.Struct):
    """What the registry's own node says."""

    format: int
    master: str
    servers: int = 0
    is_whole: bool = True
    """Not while a backup is being restored."""


class ZooKeeperBackend:
    """See `Backend`. Nothing is done before `fetch`; then it is connected, and tries again as long as it is let."""

    def __init__(self, url: ZooKeeperUrl, id_: str, session_seconds: float = SESSION_SECONDS) -> None:
        """The shorter a session, the sooner it is noticed that a server of ZooKeeper is out of reach."""
        self.ensemble_size = len(url.servers)
        place = str(url).replace("***@", "USER:PASSWORD@")
        self.remedy = (
            f"restore a backup with `python -m tools.cli registry restore FILE --zk={place} --force`, or delete "
            f"{url.path}/{NODE} there to begin without: agents and frameworks will register again"
        )
        self._url = url
        self._id = id_
        self._session_seconds = session_seconds
        self._root = f"{url.path.rstrip('/')}/{NODE}"
        self._acl = CREATOR_ALL_ACL + READ_ACL_UNSAFE if url.credentials else OPEN_ACL_UNSAFE
        self._client: KazooClient | None = None
        self._pages: dict[int, Rows] = {}
        self._version = -1

    def fetch(self) -> Rows:
        """See `Backend`."""
        client = self._connect()
        try:
            self._version = self._claim(client)
            return self._read(client)
        except KazooException as error:
            raise FailedError(f"{self._url} cannot be read: {_plain(error)}") from None

    def store(self, changes: Changes) -> None:
        """See `Backend`. Only what changes more of the pages than ZooKeeper takes at a time can be done in part."""
        assert self._client is not None
        touched = self._changed_pages(changes)
        for pages in _portions(touched):
            self._commit(self._client, pages)
        for number, rows, _ in touched:
            self._pages[number] = rows

    def close(self) -> None:
        """See `Backend`."""
        if self._client is not None:
            self._client.stop()
            self._client.close()
            self._client = None

    def peek(self) -> Rows:
        """Everything, without taking it from the master that holds it. FileNotFoundError if there is nothing."""
        client = self._connect()
        try:
            self._check_holder(client.retry(client.get, self._root)[0])
            return self._read(client)
        except NoNodeError:
            raise FileNotFoundError(f"there is no registry at {self._url}") from None
        except KazooException as error:
            raise FailedError(f"{self._url} cannot be read: {_plain(error)}") from None

    def replace(self, rows: Rows) -> None:
        """Let this be everything, whatever there was and however damaged it is."""
        client = self._connect()
        try:
            client.retry(client.ensure_path, self._root)
            self._version = self._hold(client, is_whole=False)
            for name in client.get_children(self._root):
                client.delete(f"{self._root}/{name}", recursive=True)
            self._pages = {}
            self.store(dict(rows))
            self._version = self._hold(client)
        except KazooException as error:
            raise FailedError(f"{self._url} cannot be written: {_plain(error)}") from None

    def _connect(self) -> KazooClient:
        if self._client is None:
            client = make_client(self._url, self._session_seconds, command_retry=KazooRetry(**RETRIES))
            try:
                client.start(CONNECT_SECONDS)
            except KazooTimeoutError:
                client.close()
                raise FailedError(f"no ZooKeeper answers at {self._url} within {CONNECT_SECONDS:g} s") from None
            self._client = client
        return self._client

    # Reading.

    def _claim(self, client: KazooClient) -> int:
        """Hold the registry from now on; returns the version that says so."""
        client.retry(client.ensure_path, self._url.path)
        if client.retry(client.exists, self._root) is None:
            client.retry(client.ensure_path, self._root)
        else:
            self._check_holder(client.retry(client.get, self._root)[0])
        return self._hold(client)

    def _hold(self, client: KazooClient, is_whole: bool = True) -> int:
        own = msgspec.json.encode(Holder(FORMAT, self._id, self.ensemble_size, is_whole))
        return int(client.retry(client.set, self._root, own).version)

    def _check_holder(self, data: bytes) -> None:
        if not data:
            return
        try:
            holder = msgspec.json.decode(data, type=Holder)
        except msgspec.MsgspecError as error:
            raise self._damage(f"what is no holder: {error}") from None
        if holder.format > FORMAT:
            text = f"found one of format {holder.format}, which needs a newer version than this"
            raise RefusedError(f"expected a registry at {self._where}, {text}")
        if not holder.is_whole:
            text = "found one that was being restored when that broke off"
            raise RefusedError(f"expected a registry at {self._where}, {text}; {self.remedy}")

    def _read(self, client: KazooClient) -> Rows:
        names = sorted(client.retry(client.get_children, self._root))
        pending = [(name, client.get_async(f"{self._root}/{name}")) for name in names]
        self._pages = {}
        for name, result in pending:
            try:
                data = result.get()[0]
            except KazooException:  # the connection broke on the way
                data = client.retry(client.get, f"{self._root}/{name}")[0]
            if name not in PAGE_NAMES:
                raise self._damage(f"{name}, which is no page")
            self._pages[PAGE_NAMES.index(name)] = self._page(name, data)
        return {key: value for rows in self._pages.values() for key, value in rows.items()}

    def _page(self, name: str, data: bytes) -> Rows:
        try:
            return _pages.decode(zlib.decompress(data))
        except (zlib.error, msgspec.MsgspecError) as error:
            raise self._damage(f"damage in {name}: {error}") from None

    def _damage(self, found: str) -> RefusedError:
        return RefusedError(f"expected a registry at {self._where}, found {found}; {self.remedy}")

    @property
    def _where(self) -> str:
        return f"{self._url}/{NODE}"

    # Writing.

    def _changed_pages(self, changes: Changes) -> list[tuple[int, Rows, bytes]]:
        by_page: dict[int, Changes] = {}
        for key, value in changes.items():
            by_page.setdefault(page_of(key), {})[key] = value
        found = []
        for number, its in sorted(by_page.items()):
            rows = dict(self._pages.get(number, {}))
            change_rows(rows, its)
            data = zlib.compress(msgspec.msgpack.encode(rows))
            if len(data) > PAGE_BYTES:
                raise FailedError(f"a page of the registry has {len(data)} bytes, more than ZooKeeper takes")
            found.append((number, rows, data))
        return found

    def _commit(self, client: KazooClient, pages: list[tuple[int, bytes]]) -> None:
        """Write pages whole: to do it twice, since nobody knows whether it was done, does no harm."""
        while True:
            transaction = client.transaction()
            transaction.check(self._root, self._version)
            for number, data in pages:
                path = f"{self._root}/{PAGE_NAMES[number]}"
                if number in self._pages:
                    transaction.set_data(path, data)
                else:
                    transaction.create(path, data, acl=self._acl)
            with suppress(*INTERRUPTED):
                self._check(transaction.commit())
                return
            client.handler.sleep_func(AGAIN_SECONDS)
            for number, _ in pages:  # it may have been done all the same
                if client.retry(client.exists, f"{self._root}/{PAGE_NAMES[number]}") is not None:
                    self._pages.setdefault(number, {})

    def _check(self, results: list[Any]) -> None:
        """FailedError unless everything was done."""
        errors = [result for result in results if isinstance(result, Exception)]
        if any(isinstance(error, BadVersionError | NoNodeError) for error in errors[:1]):
            raise FailedError(f"another master holds the registry at {self._url} now")
        telling = [error for error in errors if not isinstance(error, RolledBackError | RuntimeInconsistency)]
        if errors:
            raise FailedError(f"{self._url} refuses the change: {_plain((telling or errors)[0])}")


def page_of(key: str) -> int:
    """The page that an entry lies in."""
    return zlib.crc32(key.encode()) % PAGES


def _portions(pages: list[tuple[int, Rows, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """As much at a time as ZooKeeper takes."""
    portion: list[tuple[int, bytes]] = []
    size = 0
    for number, _, data in pages:
        if portion and size + len(data) > TRANSACTION_BYTES:
            yield portion
            portion, size = [], 0
        portion.append((number, data))
        size += len(data)
    if portion:
        yield portion


def _plain(error: object) -> str:
    if isinstance(error, NoAuthError):
        return "NoAuth: that user and password may not, or there are none"
    return f"{type(error).__name__.removesuffix('Error')} {error}".strip()


_pages = msgspec.msgpack.Decoder(dict[str, bytes])
