"""What a task wrote is read over HTTP, from the agent that ran it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

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


def _query(**arguments: str) -> str:
    return urllib.parse.urlencode(arguments)


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)
