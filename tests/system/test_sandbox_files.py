"""What a task wrote is read over HTTP, from the agent that ran it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.system.waiting import eventually
from tools.local import LocalCluster


def test_what_a_task_wrote_is_read_from_its_sandbox(tmp_path: Path):
    with LocalCluster(tmp_path, agents=1, resources="cpus:2;mem:256") as cluster:
        command = [sys.executable, "-m", "frameworks.run", f"--master={cluster.address}", "--name=hello"]
        subprocess.run([*command, "--command=echo hello"], check=True, timeout=60)

        [agent] = cluster.get("/slaves")["slaves"]
        web = f"http://{agent['hostname']}:{agent['port']}"
        [framework] = _get(f"{web}/state")["completed_frameworks"]
        [executor] = framework["completed_executors"]

        files = _get(f"{web}/files/browse?{_query(path=executor['directory'])}")
        [stdout] = [each["path"] for each in files if each["path"].endswith("/stdout")]
        assert _get(f"{web}/files/read?{_query(path=stdout, offset='0')}") == {"data": "hello\n", "offset": 0}

        # The same by the v1 API.
        files = _call(web, "LIST_FILES", path=executor["directory"])["file_infos"]
        [shown] = [each for each in files if each["path"] == stdout]
        assert (shown["size"], shown["uid"]) == (6, "root")
        read = _call(web, "READ_FILE", path=stdout, offset=0)
        assert (read["size"], base64.b64decode(read["data"])) == (6, b"hello\n")


def test_the_sandbox_of_what_runs_has_a_second_name(tmp_path: Path):
    with LocalCluster(tmp_path, agents=1, resources="cpus:2;mem:256") as cluster:
        command = [sys.executable, "-m", "frameworks.run", f"--master={cluster.address}", "--name=hello"]
        with subprocess.Popen([*command, "--command=echo hello; sleep 60"]) as process:
            [agent] = cluster.get("/slaves")["slaves"]
            web = f"http://{agent['hostname']}:{agent['port']}"
            names = wait_for(lambda: _get(f"{web}/files/debug"), lambda names: any("latest" in name for name in names))
            [name] = [name for name in names if name.endswith("/runs/latest")]
            data = wait_for(lambda: _get(f"{web}/files/read?{_query(path=f'{name}/stdout', offset='0')}")["data"], bool)
            process.terminate()
    assert data == "hello\n"


def wait_for(read: Callable[[], Any], is_there: Callable[[Any], bool]) -> Any:
    """What is read, once it is there; not there at all is not there yet."""
    found: Any = None

    def is_read() -> bool:
        nonlocal found
        try:
            found = read()
        except urllib.error.HTTPError:
            return False
        return is_there(found)

    eventually(is_read, lambda: f"it is there; found {found}")
    return found


def _call(web: str, type_: str, **body: Any) -> Any:
    call = json.dumps({"type": type_, type_.lower(): body}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{web}/api/v1", call, headers), timeout=10) as response:
        return json.load(response)[type_.lower()]


def _query(**arguments: str) -> str:
    return urllib.parse.urlencode(arguments)


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)
