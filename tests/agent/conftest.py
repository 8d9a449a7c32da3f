"""What the agent's tests start from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.agent.cluster import Cluster


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """An agent that has registered."""
    cluster = Cluster()
    cluster.register()
    yield cluster
    assert not cluster.world.failures


@pytest.fixture
def unregistered() -> Iterator[Cluster]:
    """An agent whose master was detected just now."""
    cluster = Cluster()
    yield cluster
    assert not cluster.world.failures
