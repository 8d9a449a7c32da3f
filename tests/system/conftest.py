"""Agents of these tests have control groups of their own, below one that goes with the last of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

CGROUPS_ROOT = f"tests-{os.getpid()}"


@pytest.fixture(autouse=True, scope="package")
def own_control_groups() -> Iterator[None]:
    """An agent that a test kills leaves empty groups to the next one, which does not come when its directory goes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESOS_CGROUPS_ROOT", CGROUPS_ROOT)
        yield
    for root in Path("/sys/fs/cgroup").glob(f"**/{CGROUPS_ROOT}"):
        for path in sorted((root, *root.rglob("*/")), reverse=True):
            path.rmdir()
