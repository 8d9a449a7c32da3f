"""`python -m tools.cli registry`: printed, backed up and restored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from master.allocator.messages import Quota, RoleWeight
from master.registrar.backend import RefusedError
from master.registrar.entries import (
    AgentEntry,
    Drain,
    EndedFrameworkEntry,
    Entry,
    FrameworkEntry,
    MaintenanceEntry,
    QuotasEntry,
    Rows,
    Standing,
    WeightsEntry,
    write_entries,
)
from master.registrar.sqlite import FILE, SqliteBackend
from mesos.ids import AgentID, FrameworkID
from mesos.types import AgentInfo, FrameworkInfo, MachineID, Unavailability, Window
from tools.cli.__main__ import main

TIME = 1_700_000_000.0
ENTRIES: tuple[Entry, ...] = (
    AgentEntry(AgentID("m-S0"), Standing.ADMITTED, TIME, AgentInfo("box"), Drain(TIME, 60.0), True),
    AgentEntry(AgentID("m-S1"), Standing.GONE, TIME),
    FrameworkEntry(FrameworkID("m-0000"), TIME, 3600.0),
    EndedFrameworkEntry(FrameworkID("m-0001"), TIME, TIME, FrameworkInfo("somebody", "batch")),
    MaintenanceEntry((Window((MachineID("rack-1"),), Unavailability(TIME)),)),
    QuotasEntry((Quota("eng", (("cpus", 1500),), (("cpus", 4000),)),)),
    WeightsEntry((RoleWeight("eng", 2.5),)),
)


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    """Of a master that ended."""
    place = tmp_path / "work"
    place.mkdir()
    write(place, write_entries(ENTRIES))
    return place


def write(work_dir: Path, rows: Rows) -> None:
    backend = SqliteBackend(work_dir)
    backend.replace(rows)
    backend.close()


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> str:
    monkeypatch.setattr("sys.argv", ["tools.cli", "registry", *map(str, words)])
    assert main() == 0
    return capsys.readouterr().out


def mistake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What is said of a mistake: one line."""
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, capsys, *words)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told.removeprefix("tools.cli: ").strip()


def test_it_is_printed_for_people(work_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert run(monkeypatch, capsys, "print", f"--work_dir={work_dir}").splitlines() == [
        "agent m-S0 (box) is ADMITTED since 2023-11-14 22:13:20 UTC, to be drained by 2023-11-14 22:14:20 UTC",
        "agent m-S1 is GONE since 2023-11-14 22:13:20 UTC",
        "framework m-0000 has no scheduler since 2023-11-14 22:13:20 UTC, and may be for 3600 s",
        "framework m-0001 (batch) ended 2023-11-14 22:13:20 UTC, and may not come back",
        "machine rack-1 is to be away from 2023-11-14 22:13:20 UTC",
        "quota of eng: guaranteed cpus:1.5, at most cpus:4",
        "weights: eng=2.5",
    ]


def test_it_is_printed_for_programs(
    work_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    shown = json.loads(run(monkeypatch, capsys, "print", f"--work_dir={work_dir}", "--json"))
    assert [each["info"]["hostname"] for each in shown["slaves"]["slaves"]] == ["box"]
    assert shown["slaves"]["slaves"][0]["drain_info"]["state"] == "DRAINING"
    assert shown["gone"]["slaves"][0]["id"] == {"value": "m-S1"}
    assert shown["completed_frameworks"][0]["framework_info"]["name"] == "batch"


def test_a_backup_is_restored_as_it_was(
    work_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    backup, before = tmp_path / "backup.json", SqliteBackend(work_dir).peek()
    assert run(monkeypatch, capsys, "backup", backup, f"--work_dir={work_dir}") == f"7 entries are in {backup}\n"
    (work_dir / FILE).write_bytes(b"rubbish" * 1000)

    wrong = mistake(monkeypatch, capsys, "restore", backup, f"--work_dir={work_dir}")
    assert "found: file is not a database" in wrong
    assert (
        run(monkeypatch, capsys, "restore", backup, f"--work_dir={work_dir}", "--force") == "7 entries are restored\n"
    )
    assert SqliteBackend(work_dir).peek() == before


def test_the_remedies_for_damage_work_as_they_are_told(
    work_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    backup, before = tmp_path / "backup.json", SqliteBackend(work_dir).peek()
    run(monkeypatch, capsys, "backup", f"--work_dir={work_dir}", backup)
    assert "quota of eng" in run(monkeypatch, capsys, "print", backup)
    (work_dir / FILE).write_bytes(b"rubbish" * 1000)
    (work_dir / f"{FILE}-wal").write_bytes(b"rubbish" * 1000)
    master = SqliteBackend(work_dir)
    with pytest.raises(RefusedError) as refused:
        master.fetch()
    master.close()

    command = str(refused.value).split("`")[1].replace("FILE", str(backup)).split()
    assert run(monkeypatch, capsys, *command[command.index("registry") + 1 :]) == "7 entries are restored\n"
    assert SqliteBackend(work_dir).peek() == before


def test_a_registry_begins_anew_without_what_is_left_of_one_that_was_moved_away(work_dir: Path, tmp_path: Path):
    master = SqliteBackend(work_dir)
    master.fetch()
    master.store({"more": b"1"})
    log = (work_dir / f"{FILE}-wal").read_bytes()
    master.close()
    (work_dir / FILE).rename(tmp_path / "damaged")
    (work_dir / f"{FILE}-wal").write_bytes(log)

    assert log
    assert master.fetch() == {}
    master.close()


def test_what_is_there_is_not_replaced_unawares(
    work_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    backup = tmp_path / "backup.json"
    run(monkeypatch, capsys, "backup", backup, f"--work_dir={work_dir}")
    assert mistake(monkeypatch, capsys, "restore", backup, f"--work_dir={work_dir}") == (
        "there are 7 entries already; end all masters, and say --force to replace them"
    )
    master = SqliteBackend(work_dir)
    master.fetch()
    assert "another master holds" in mistake(
        monkeypatch, capsys, "restore", backup, f"--work_dir={work_dir}", "--force"
    )
    master.close()


def test_a_backup_restores_a_work_dir_that_is_empty(
    work_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    backup, other = tmp_path / "backup.json", tmp_path / "other"
    other.mkdir()
    run(monkeypatch, capsys, "backup", backup, f"--work_dir={work_dir}")
    run(monkeypatch, capsys, "restore", backup, f"--work_dir={other}")
    assert SqliteBackend(other).peek() == SqliteBackend(work_dir).peek()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("backup", "f"), "expected --work_dir=DIR or --zk=URL, and one of them, to say where the registry is"),
        (("backup", "--work_dir={here}"), "expected a file: registry backup FILE"),
        (("print", "--work_dir={here}/no"), "there is no registry at {here}/no/registry.sqlite"),
        (("restore", "{here}/no", "--work_dir={here}"), "{here}/no: No such file or directory"),
        (("backup", "{here}/no/f", "--work_dir={here}"), "{here}/no/f.new: No such file or directory"),
        (("restore", "{here}/registry.sqlite", "--work_dir={here}"), "{here}/registry.sqlite: expected a backup of a"),
        (("print", "--zk=zk://host"), "expected zk://[user:password@]host:port,…/path such as zk://127.0.0.1:2181/me"),
    ],
)
def test_mistakes_are_told_in_one_line(
    work_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    told: str,
):
    filled = [word.replace("{here}", str(work_dir)) for word in words]
    assert mistake(monkeypatch, capsys, *filled).startswith(told.replace("{here}", str(work_dir)))
