"""`registry`: what masters wrote down for those after them; printed, backed up, and restored."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from libprocess.errors import OperatorError
from libprocess.flags.sources import Given, follow_file
from master.records.maintenance import name_of
from master.registrar.backend import FailedError, RefusedError
from master.registrar.entries import (
    AgentEntry,
    EndedFrameworkEntry,
    Entry,
    FrameworkEntry,
    MaintenanceEntry,
    QuotasEntry,
    Rows,
    WeightsEntry,
    read_entries,
)
from master.registrar.form import registry_form
from master.registrar.sqlite import SqliteBackend
from master.registrar.zookeeper import ZooKeeperBackend
from mesos.detector.zookeeper import parse_zookeeper
from mesos.resources import format_thousandths
from tools.cli.asking import Master

BACKUP_FORMAT = 1
OPERATOR = "an operator"


class Backup(msgspec.Struct):
    """A file with a whole registry."""

    format: int
    entries: dict[str, msgspec.Raw]


def add_registry(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument(
        "action",
        choices=("print", "backup", "restore"),
        help="what to do; print tells of a backup, a --work_dir, a --zk, or what the leading master has",
    )
    command.add_argument("file", nargs="?", default="", metavar="FILE", help="the backup")
    command.add_argument("--work_dir", default="", metavar="DIR", help="the directory of the master that wrote it")
    command.add_argument(
        "--zk",
        default="",
        metavar="URL",
        help="where the masters meet that wrote it, or file://PATH of a file with that",
    )
    command.add_argument("--force", action="store_true", help="let a backup take the place of what is there")
    command.set_defaults(run=registry)


def registry(options: argparse.Namespace) -> Iterator[str]:
    """Do it, and say it in lines. To print needs no place: a backup is read, or the master asked."""
    if options.action == "print" and options.file:
        with _told():
            yield from _printed(options, read_entries(_read_backup(Path(options.file))))
        return
    if options.action == "print" and not (options.work_dir or options.zk):
        answer = Master(options.master, options.credential).get("/registrar(1)/registry")
        yield json.dumps(answer, indent=None if options.json else 2)
        return
    with _told(), _opened(options) as backend:
        if options.action == "restore":
            yield from _restore(options, backend)
            return
        rows = backend.peek()
        entries = read_entries(rows)
        if options.action == "backup":
            _write_backup(Path(_file(options)), rows)
            yield f"{len(rows)} entries are in {options.file}"
        else:
            yield from _printed(options, entries)


def _printed(options: argparse.Namespace, entries: Mapping[str, Entry]) -> Iterator[str]:
    if options.json:
        yield json.dumps(registry_form(entries.values()))
    else:
        yield from told(entries.values())


@contextmanager
def _opened(options: argparse.Namespace) -> Iterator[SqliteBackend | ZooKeeperBackend]:
    if bool(options.work_dir) == bool(options.zk):
        raise OperatorError("expected --work_dir=DIR or --zk=URL, and one of them, to say where the registry is")
    backend = _in_zookeeper(options.zk) if options.zk else SqliteBackend(options.work_dir)
    try:
        yield backend
    finally:
        backend.close()


def _in_zookeeper(text: str) -> ZooKeeperBackend:
    return ZooKeeperBackend(parse_zookeeper(follow_file(Given(text, "--zk")).text), OPERATOR)


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong is the operator's to mend."""
    try:
        yield
    except (RefusedError, FailedError, ValueError) as error:
        raise OperatorError(str(error)) from None
    except OSError as error:
        raise OperatorError(str(error) if error.errno is None else f"{error.filename}: {error.strerror}") from None


def _file(options: argparse.Namespace) -> str:
    if not options.file:
        raise OperatorError(f"expected a file: registry {options.action} FILE")
    return str(options.file)


def _write_backup(path: Path, rows: Rows) -> None:
    """As a whole, or not at all."""
    entries = {key: msgspec.Raw(value) for key, value in sorted(rows.items())}
    content = msgspec.json.format(msgspec.json.encode(Backup(BACKUP_FORMAT, entries)), indent=1)
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _read_backup(path: Path) -> Rows:
    try:
        backup = msgspec.json.decode(path.read_bytes(), type=Backup)
    except msgspec.MsgspecError as error:
        raise OperatorError(f"{path}: expected a backup of a registry, found: {error}") from None
    if backup.format > BACKUP_FORMAT:
        raise OperatorError(f"{path}: found a backup of format {backup.format}, which needs a newer version than this")
    rows = {key: msgspec.json.format(bytes(value), indent=-1) for key, value in backup.entries.items()}
    read_entries(rows)
    return rows


def _restore(options: argparse.Namespace, backend: SqliteBackend | ZooKeeperBackend) -> Iterator[str]:
    rows = _read_backup(Path(_file(options)))
    if not options.force:
        try:
            found = len(backend.peek())
        except FileNotFoundError:
            found = 0
        if found:
            raise OperatorError(f"there are {found} entries already; end all masters, and say --force to replace them")
    backend.replace(rows)
    yield f"{len(rows)} entries are restored"


# In lines.


def told(entries: Iterable[Entry]) -> Iterator[str]:
    """A registry for people."""
    count = 0
    for entry in entries:
        count += 1
        match entry:
            case AgentEntry():
                yield _agent(entry)
            case FrameworkEntry():
                text = f"may be for {entry.failover_timeout_seconds:g} s"
                yield f"framework {entry.id} has no scheduler since {_time(entry.since)}, and {text}"
            case EndedFrameworkEntry():
                yield f"framework {entry.id} ({entry.info.name}) ended {_time(entry.since)}, and may not come back"
            case WeightsEntry():
                yield "weights: " + (", ".join(f"{each.role}={each.weight:g}" for each in entry.weights) or "none")
            case MaintenanceEntry():
                yield from _machines(entry)
            case QuotasEntry():
                for quota in entry.quotas:
                    guaranteed, limits = _amounts(quota.guarantees), _amounts(quota.limits)
                    yield f"quota of {quota.role}: guaranteed {guaranteed}, at most {limits}"
    if not count:
        yield "it is empty"


def _machines(entry: MaintenanceEntry) -> Iterator[str]:
    for window in entry.schedule:
        for machine in window.machine_ids:
            mode = "is down" if machine in entry.down else "is to be away"
            yield f"machine {name_of(machine)} {mode} from {_time(window.unavailability.start)}"


def _agent(entry: AgentEntry) -> str:
    host = f" ({entry.info.hostname})" if entry.info is not None else ""
    text = f"agent {entry.id}{host} is {entry.standing} since {_time(entry.since)}"
    if entry.drain is not None:
        return f"{text}, {'drained' if entry.drain.is_done else f'to be drained by {_time(entry.drain.deadline)}'}"
    return f"{text}, deactivated" if entry.is_deactivated else text


def _amounts(quantities: Iterable[tuple[str, int]]) -> str:
    return ";".join(f"{name}:{format_thousandths(amount)}" for name, amount in quantities) or "nothing"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(" ", "seconds").replace("+00:00", " UTC")
