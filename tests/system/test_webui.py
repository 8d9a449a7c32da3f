"""The web pages of master and agent in a real browser: what is there is shown, as it changes, and as text."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.browser import Browser, browser
from tests.system.programs import command
from tools.local import LocalCluster

HOSTILE = "<img src=x onerror=alert(1)>"
"""A name that must stay one."""

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not installed")


@contextmanager
def running(cluster: LocalCluster, name: str, line: str) -> Iterator[None]:
    """A framework that runs a command, and ends with it."""
    flags = (f"--master={cluster.address}", f"--name={name}", f"--command={line}")
    with subprocess.Popen(command("mesos-run", *flags), stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def test_the_pages_show_what_there_is_as_it_changes(tmp_path: Path):
    async def look(cluster: LocalCluster, page: Browser) -> None:
        await page.open(f"http://{cluster.address}/")
        await page.until("of 1 agents active", "Nothing runs.", "live")
        with running(cluster, HOSTILE, "echo hello from the sandbox; sleep 1000"):
            await page.until(HOSTILE, "running")
            await go(page, "frameworks", HOSTILE, "active")
            await go(page, "agents", "127.0.0.1", "0.1.0")
            await go(page, "offers", "Offers")
            await go(page, "tasks", "sandbox")

            await page.open(await page.evaluate("[...document.querySelectorAll('td a')].at(-1).href"))
            await page.until("Agent 127.0.0.1", "stdout", "stderr")
            await page.evaluate("[...document.querySelectorAll('td a')].find(a => a.textContent == 'stdout').click()")
            await page.until("hello from the sandbox")
            await go(page, "", HOSTILE, "running")

            await page.open(f"http://{cluster.address}/#/tasks")
            await page.until(HOSTILE, "running")
        await page.until("Nothing runs.", "killed")  # told by an event: nothing on this page is asked for again
        assert await page.evaluate("document.images.length") == 0
        assert page.complaints == []

    async def play(cluster: LocalCluster) -> None:
        async with browser(tmp_path / "profile") as page:
            await look(cluster, page)

    with LocalCluster(tmp_path / "cluster", agents=1, resources="cpus:2;mem:256") as cluster:
        asyncio.run(play(cluster))


async def go(page: Browser, tab: str, *words: str) -> None:
    """Open another tab of the page, and wait for what is to be there."""
    await page.evaluate(f"location.hash = '#/{tab}'")
    await page.until(*words)
