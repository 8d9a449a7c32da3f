"""`make demo`: starts a cluster, gives it real work, checks the result, and leaves nothing running."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from libprocess.endings import end_as_interrupted
from libprocess.errors import told_to_the_operator
from tools.demo.words import COUNT, count_here, find_texts, read_counts
from tools.local import LocalCluster
from tools.options import Parser

PROGRAM = "demo"
ABOUT = "Start a cluster of three processes, have it count the words of some hundred files, check that, and end it."
AGENTS = 2
RESOURCES = "cpus:4;mem:1024"
TOP = 10


def main() -> None:
    """Exit status 0 if the cluster's result is that of a plain local run."""
    Parser(prog=f"python -m tools.{PROGRAM}", description=ABOUT).parse_args()
    end_as_interrupted()
    with told_to_the_operator(PROGRAM), suppress(KeyboardInterrupt):
        sys.exit(demonstrate())
    sys.exit(130)


def demonstrate() -> int:
    """Do it all, and tell the user; returns the exit status."""
    texts = find_texts()
    size = sum(text.stat().st_size for text in texts)
    print(f"Counting the words of {len(texts)} text files of this machine, {size / 1e6:.1f} MB.")
    times: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="mesos-demo-") as scratch:
        outputs = Path(scratch, "outputs")
        cluster = LocalCluster(Path(scratch, "cluster"), AGENTS, resources=RESOURCES)
        with taking(times, "starting 1 master and 2 agents"):
            cluster.start()
        try:
            print(f"The master's page is at http://{cluster.address}/ while this runs.")
            with taking(times, "counting on the cluster"):
                exit_status = batch(cluster, texts, outputs)
        finally:
            with taking(times, "ending the cluster"):
                cluster.stop()
        if exit_status:
            return exit_status
        counts = sum(map(read_counts, (path.read_bytes() for path in outputs.glob("*.stdout"))), Counter[str]())
        rows = [json.loads(line) for line in (outputs / "results.jsonl").read_text().splitlines()]
    with taking(times, "counting without a cluster"):
        expected = count_here(texts)
    show_words(counts)
    show_times(times, rows)
    return verdict(counts == expected)


def batch(cluster: LocalCluster, texts: list[Path], outputs: Path) -> int:
    """Run mesos-batch as a user would; returns its exit status."""
    command = [sys.executable, "-m", "frameworks.batch", f"--master={cluster.address}", f"--output={outputs}"]
    inputs = "".join(f"{text}\n" for text in texts).encode()
    return subprocess.run([*command, "--cpus=0.5", "--mem=32", "--", COUNT], input=inputs).returncode


@contextmanager
def taking(times: dict[str, float], what: str) -> Iterator[None]:
    """Note how long something takes, in seconds."""
    started_at = time.monotonic()
    try:
        yield
    finally:
        times[what] = time.monotonic() - started_at


def show_words(counts: Counter[str]) -> None:
    """The result."""
    print(f"\n{counts.total()} words, {len(counts)} different ones; the most frequent:")
    for word, count in counts.most_common(TOP):
        print(f"  {count:7} {word}")


def show_times(times: dict[str, float], rows: list[dict[str, Any]]) -> None:
    """Where time went, as a whole and for a task."""
    print("\nWhere time went:")
    for what, seconds in times.items():
        print(f"  {seconds:7.2f} s  {what}")
    print(f"Of a task, in the middle of {len(rows)}:")
    for key, what in (
        ("starting_seconds", "from its launch until it runs"),
        ("run_seconds", "running"),
        ("cpu_seconds", "of it on a processor"),
        ("reporting_seconds", "until its output is here"),
    ):
        print(f"  {statistics.median(row[key] for row in rows) * 1000:7.1f} ms {what}")


def verdict(is_equal: bool) -> int:
    """Say whether all is well; returns the exit status."""
    left = psutil.Process().children(recursive=True)
    print()
    print("The cluster counted what a plain local run counts." if is_equal else "The cluster counted WRONG.")
    print(f"Left running: {', '.join(map(str, left)) or 'nothing'}.")
    return 0 if is_equal and not left else 1


if __name__ == "__main__":
    main()
