"""A scheduler in a network namespace of its own, where nobody can dial it: it takes full part all the same."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.programs import SECONDS, command
from tools.local import LocalCluster

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes network namespaces")

NAMESPACE = f"mesolite-{os.getpid()}"
HERE, THERE = "10.213.57.1", "10.213.57.2"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def namespace() -> Iterator[str]:
    """A namespace with a cable to this one."""
    here = f"mes{os.getpid() % 10**6}"
    ip("netns", "add", NAMESPACE)
    try:
        ip("link", "add", here, "type", "veth", "peer", "name", "up0", "netns", NAMESPACE)
        ip("address", "add", f"{HERE}/30", "dev", here)
        ip("link", "set", here, "up")
        ip("-n", NAMESPACE, "address", "add", f"{THERE}/30", "dev", "up0")
        ip("-n", NAMESPACE, "link", "set", "up0", "up")
        ip("-n", NAMESPACE, "link", "set", "lo", "up")
        yield NAMESPACE
    finally:
        ip("netns", "delete", NAMESPACE)  # and the cable with it


def test_a_scheduler_that_nobody_can_dial_runs_tasks(namespace: str, tmp_path: Path):
    trusted = ("--insecure",)
    with LocalCluster(
        tmp_path, resources="cpus:2;mem:512", host=HERE, master_flags=trusted, agent_flags=trusted
    ) as cluster:
        # It listens to its own namespace's loopback alone, and all that it hears comes over the link that it opened.
        line = command("mesos-batch", f"--master={cluster.address}", "--cpus=0.25", "echo")
        enter = ["ip", "netns", "exec", namespace]
        batch = subprocess.run([*enter, *line], input="a\nb\n", capture_output=True, text=True, timeout=SECONDS)
        frameworks = cluster.get("/state")["completed_frameworks"]
    assert (batch.returncode, batch.stdout) == (0, "a\nb\n"), batch.stderr
    assert [THERE in framework["pid"] for framework in frameworks] == [True]
