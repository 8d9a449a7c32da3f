"""What the tests of schedulers live with."""

from __future__ import annotations

import pytest

from libprocess.simulation import World
from mesos.types import FrameworkInfo
from tests.mesos.scheduler.scene import Cluster


@pytest.fixture
def cluster(world: World) -> Cluster:
    return Cluster(world, FrameworkInfo(user="ann", name="f"))
