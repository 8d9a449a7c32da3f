"""Control groups of version 2: the tests that are marked `cgroups` run again in a virtual machine that has those."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.containers import needs_root

ROOT = Path(__file__).parents[2]
BOOT_AND_TESTS_SECONDS = 400.0
MEMORY_BYTES = 512 << 20
SHARED_MEMORY = "/dev/shm"

# Linux as a program: its root is this machine's, read-only; what is mounted over that is its own.
MACHINE = ("linux.uml", f"mem={MEMORY_BYTES >> 20}M", "rootfstype=hostfs", "ro", "con=null", "con0=fd:0,fd:1", "quiet")
INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
cd {root}
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1
export PATH HOME PYTHONDONTWRITEBYTECODE
{python} -m pytest -m cgroups --color=no -p no:cacheprovider --basetemp=/tmp/tests {tests} 2>&1
echo "ended with $?"
echo o > /proc/sysrq-trigger
sleep 60
"""


@needs_root
@pytest.mark.timeout(BOOT_AND_TESTS_SECONDS + 30)
def test_version_2_limits_containers_as_version_1_does(tmp_path: Path):
    if shutil.which(MACHINE[0]) is None:
        pytest.skip("there is no user-mode Linux here; as root: apt-get install user-mode-linux")
    script = tmp_path / "init"
    tests = "tests/system/test_isolators.py tests/system/test_containers.py"
    script.write_text(INIT.format(root=ROOT, python=sys.executable, tests=tests))
    script.chmod(0o755)

    said = boot(script)

    assert "ended with 0" in said, said
    assert re.search(r"= \d\d passed, \d+ deselected in ", said), said


def boot(script: Path) -> str:
    """What a machine writes that runs this script and nothing else."""
    command = [*MACHINE, f"init={script}", f"uml_dir={script.parent}/"]
    roomy = os.path.isdir(SHARED_MEMORY) and shutil.disk_usage(SHARED_MEMORY).free > 2 * MEMORY_BYTES
    environment = os.environ | {"TMPDIR": SHARED_MEMORY if roomy else str(script.parent)}  # its memory is a file there
    machine = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        return machine.communicate(timeout=BOOT_AND_TESTS_SECONDS)[0]
    finally:
        if machine.poll() is None:
            os.killpg(machine.pid, signal.SIGKILL)
            machine.communicate()
