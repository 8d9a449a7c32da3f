"""The pytest plugin for who writes frameworks: a fixture `cluster`, a whole cluster in virtual time.

    def test_my_framework_finishes_its_tasks(cluster):
        cluster.elect()
        scheduler = MyScheduler(tasks=3)
        cluster.run(scheduler, FrameworkInfo(user="me", name="mine"))
        cluster.advance(seconds=60)
        assert scheduler.finished == 3

    @pytest.mark.parametrize("cluster", range(20), indirect=True)     # the same under twenty seeds
    def test_my_framework_survives(cluster): …

Tasks that are commands are played, not run: `tools.simulate.containers` says which words they understand. Executors
of one's own are made by `cluster.executors["./my-executor"] = MyExecutor`. More agents come by `cluster.add_agent`, and
all else is as in a `libprocess.simulation.World`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tools.simulate.cluster import Cluster

# Nothing of the cluster is imported before a test asks for one: pytest loads this file wherever mesolite is installed.


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of its own for the test: one master, not elected yet, and one agent; seed 0 unless parametrized."""
    from libprocess.testing import check_failures
    from tools.simulate.cluster import Cluster

    cluster = Cluster(seed=getattr(request, "param", 0))
    yield cluster
    check_failures(cluster)
