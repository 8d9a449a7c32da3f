"""Trees of files as tasks leave them: of any size, of any depth, with any names.

Python walks a thousand levels deep, and the kernel takes no path of 4 KB: below that a task could hide what it uses,
or keep its sandbox from being removed. What is too deep for us is left to du(1) and rm(1), who go step by step.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from errno import ENAMETOOLONG

BLOCK_BYTES = 512


def disk_usage(directory: str) -> int:
    """Bytes on the disk of all that is below a directory; what is linked to is not, and what has two names is once."""
    total, seen = 0, set[tuple[int, int]]()
    waiting = [directory]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):  # it was removed meanwhile
                        status = entry.stat(follow_symlinks=False)
                        if (status.st_dev, status.st_ino) not in seen:
                            seen.add((status.st_dev, status.st_ino))
                            total += status.st_blocks * BLOCK_BYTES
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
        except OSError as error:
            if error.errno == ENAMETOOLONG:
                return _du(directory)
    return total


def _du(directory: str) -> int:
    done = subprocess.run(
        ["du", "-s", "--block-size=1", "--", directory], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    return int(done.stdout.split()[0])


def remove(directory: str) -> None:
    """Remove a directory with all that is in it. Fine if it is gone; OSError says what is in the way."""
    try:
        shutil.rmtree(directory)
    except FileNotFoundError:
        return
    except (RecursionError, OSError) as error:
        if isinstance(error, OSError) and error.errno != ENAMETOOLONG:
            raise
        done = subprocess.run(["rm", "-rf", "--", directory], stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise OSError(done.stderr.strip().splitlines()[0]) from None
