"""What isolation costs a task that only computes: the same work in a container and bare."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from agent.containerizer.mesos import MesosContainerizer
from agent.fetcher import Fetcher
from agent.fetcher.cache import Cache
from agent.isolators.cgroups.groups import Groups
from agent.isolators.choice import Settings, choose
from agent.ports import ContainerConfig, ContainerLaunchedMessage, ContainerTerminatedMessage
from libprocess import Process
from libprocess.edge import open_node, run
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import CommandInfo
from tools.bench.measure import Figure, pin, show
from tools.options import Parser

REPEATS = 7
# Writes the processor time that it took: a container's start and end are not the question here.
WORK = (
    "import time; begin = time.process_time(); total = sum(i * i for i in range(6_000_000));"
    " print(time.process_time() - begin)"
)


class Owner(Process):
    """Waits for containers to end."""

    def __init__(self) -> None:
        self.ended: asyncio.Queue[ContainerTerminatedMessage] = asyncio.Queue()

    def container_launched(self, message: ContainerLaunchedMessage) -> None: ...

    def container_terminated(self, message: ContainerTerminatedMessage) -> None:
        self.ended.put_nowait(message)


def main(arguments: list[str]) -> int:
    """Measure, and print figures beside their bars; 1 if a bar is not met."""
    parser = Parser(prog="python -m tools.bench isolation", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args(arguments)
    pin()
    contained, bare = run(_measure())
    figure = Figure(
        "isolation_ratio",
        contained / bare,
        1.02,
        own=f"{contained:.3f} s in a container",
        reference=f"{bare:.3f} s bare",
    )
    return show([figure], options.json)


async def _measure() -> tuple[float, float]:
    """The least processor time of several runs each, in turns."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        async with open_node() as node:
            work_dir = Path(directory)
            isolators = choose((), Settings(Groups()))
            fetcher = Fetcher(Cache(work_dir / "fetch", 0), "", node.metrics)
            containerizer = MesosContainerizer(node, str(work_dir / "run"), isolators, fetcher, switch_user=False)
            owner = Owner()
            node.spawn(owner)
            await asyncio.sleep(0)
            pairs = [
                (await _contained(containerizer, owner, work_dir, number), await _bare()) for number in range(REPEATS)
            ]
            await containerizer.close()
    return min(contained for contained, _ in pairs), min(bare for _, bare in pairs)


async def _contained(containerizer: MesosContainerizer, owner: Owner, work_dir: Path, number: int) -> float:
    id_ = ContainerID(f"bench-{os.getpid()}-{number}")
    command = CommandInfo(sys.executable, shell=False, arguments=(sys.executable, "-I", "-S", "-c", WORK))
    config = ContainerConfig(id_, command, str(work_dir / id_), resources=Resources.of(cpus=1, mem=256))
    containerizer.launch(owner.pid, config)
    ended = await owner.ended.get()
    if ended.status != 0:
        raise RuntimeError(f"the work did not finish: {ended}")
    return float((work_dir / id_ / "stdout").read_text())


async def _bare() -> float:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", WORK, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return float(output)
