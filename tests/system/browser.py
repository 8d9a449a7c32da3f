"""A real browser without a screen, driven by its DevTools protocol."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

SECONDS = 60.0
COMMAND = (
    "chromium",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--window-size=1280,900",
)


class Browser:
    """One page of a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._session = ""
        self._serial = 0
        self.complaints: list[str] = []
        """What the page wrote to its console, and the errors that it ended in."""

    async def do(self, method: str, **parameters: Any) -> Any:
        """Have the browser do something; returns what it answers."""
        self._serial += 1
        session = {"sessionId": self._session} if self._session else {}
        await self._socket.send_json({"id": self._serial, "method": method, "params": parameters, **session})
        while True:
            said = json.loads(await self._socket.receive_str())
            if said.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                self.complaints.append(json.dumps(said["params"]))
            if said.get("id") == self._serial:
                assert "error" not in said, said
                return said["result"]

    async def open(self, address: str) -> None:
        """Open a page."""
        if not self._session:
            target = await self.do("Target.createTarget", url="about:blank")
            attached = await self.do("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            self._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log"):
                await self.do(f"{domain}.enable")
        await self.do("Page.navigate", url=address)

    async def text(self) -> str:
        """What somebody reads on the page."""
        return str(await self.evaluate("document.body?.innerText ?? ''"))

    async def evaluate(self, script: str) -> Any:
        """What a script says in the page."""
        answer = await self.do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    async def until(self, *words: str) -> str:
        """Wait until all the words are on the page; returns its text."""
        try:
            async with asyncio.timeout(SECONDS):
                text = await self.text()
                while not all(word in text for word in words):
                    await asyncio.sleep(0.05)
                    text = await self.text()
                return text
        except TimeoutError:
            raise AssertionError(f"expected {words} on the page, found: {await self.text()}") from None


@asynccontextmanager
async def browser(directory: Path) -> AsyncIterator[Browser]:
    """A browser whose files are in a directory."""
    command = [*COMMAND, f"--user-data-dir={directory}", "--remote-debugging-port=0", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            address = next(line.split()[-1] for line in process.stderr if "listening on ws://" in line)
            async with aiohttp.ClientSession() as client, client.ws_connect(address, max_msg_size=0) as socket:
                yield Browser(socket)
        finally:
            process.kill()
