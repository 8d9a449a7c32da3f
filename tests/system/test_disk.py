"""Sandboxes on a real disk: found, and removed with what is empty after them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent.disk import SandboxDisk
from agent.janitor import SandboxRemovedMessage
from libprocess import Process
from libprocess.edge import open_node, run

SANDBOX = "agents/A1/frameworks/F1/executors/{}/runs/{}"


class Asker(Process):
    def __init__(self) -> None:
        self.answers: asyncio.Queue[SandboxRemovedMessage] = asyncio.Queue()

    def sandbox_removed(self, message: SandboxRemovedMessage) -> None:
        self.answers.put_nowait(message)


def remove(work_dir: Path, *paths: Path) -> list[SandboxRemovedMessage]:
    async def story() -> list[SandboxRemovedMessage]:
        async with open_node() as node:
            asker = Asker()
            node.spawn(asker)
            disk = SandboxDisk(node, str(work_dir))
            for path in paths:
                disk.remove(asker.pid, str(path))
            return [await asker.answers.get() for _ in paths]

    return run(story())


def make(work_dir: Path, executor: str, run_id: str) -> Path:
    sandbox = work_dir / SANDBOX.format(executor, run_id)
    (sandbox / "deep" / "down").mkdir(parents=True)
    (sandbox / "stdout").write_text("out")
    (sandbox / "link").symlink_to(work_dir / "precious")
    return sandbox


def test_a_sandbox_is_removed_and_nothing_that_it_links_to(tmp_path: Path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    first, second = make(tmp_path, "E1", "C1"), make(tmp_path, "E1", "C2")

    assert [answer.error for answer in remove(tmp_path, first)] == [""]
    assert not first.exists()
    assert second.exists()

    remove(tmp_path, second)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agents", "precious"]
    assert list((tmp_path / "agents").iterdir()) == []
    assert (tmp_path / "precious" / "file").exists()


def test_what_is_gone_already_is_fine(tmp_path: Path):
    assert [answer.error for answer in remove(tmp_path, tmp_path / SANDBOX.format("E1", "C1"))] == [""]


def test_ten_thousand_files_are_removed(tmp_path: Path):
    sandbox = make(tmp_path, "E1", "C1")
    for number in range(10_000):
        (sandbox / f"file-{number}").touch()
    assert [answer.error for answer in remove(tmp_path, sandbox)] == [""]
    assert not sandbox.exists()


def find(work_dir: Path) -> list[tuple[str, float]]:
    async def story() -> list[tuple[str, float]]:
        async with open_node() as node:
            return SandboxDisk(node, str(work_dir)).found()

    return run(story())


def test_sandboxes_are_found(tmp_path: Path):
    sandbox = make(tmp_path, "E1", "C1")
    assert find(tmp_path) == [(str(sandbox), sandbox.stat().st_mtime)]


def test_what_was_around_sandboxes_goes_even_if_the_agent_was_killed_while_it_removed_them(tmp_path: Path):
    sandbox = make(tmp_path, "E1", "C1")
    (tmp_path / SANDBOX.format("E2", "C2")).parents[1].mkdir()  # its sandbox and `runs` are gone already
    (tmp_path / "agents" / "A2" / "frameworks").mkdir(parents=True)
    assert find(tmp_path) == [(str(sandbox), sandbox.stat().st_mtime)]
    assert [path.name for path in tmp_path.glob("agents/*")] == ["A1"]
    assert [path.name for path in tmp_path.glob("agents/A1/frameworks/F1/executors/*")] == ["E1"]
