"""Metrics: what is counted is what the snapshot shows."""

from __future__ import annotations

import pytest

from libprocess.metrics import WINDOW, Metrics


class Clock:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics(clock: Clock) -> Metrics:
    return Metrics(clock.now)


def test_counters_and_gauges_are_shown_by_name_in_order(metrics: Metrics):
    lost = metrics.counter("master/tasks_lost")
    lost.value += 1
    lost.value += 2
    metrics.gauge("master/elected").value = 1
    assert list(metrics.snapshot().items()) == [("master/elected", 1), ("master/tasks_lost", 3)]


def test_a_pull_gauge_is_read_when_the_snapshot_is_taken(metrics: Metrics):
    tasks = ["t1"]
    metrics.gauge("master/tasks", lambda: len(tasks))
    tasks.append("t2")
    assert metrics.snapshot() == {"master/tasks": 2}


def test_a_family_shows_whatever_names_there_are_when_it_is_read(metrics: Metrics):
    drops: dict[str, float] = {}
    metrics.family("mail_dropped_for", lambda: drops)
    assert metrics.snapshot() == {}
    drops |= {"no such actor": 2, "link broken": 1}
    assert list(metrics.snapshot().items()) == [
        ("mail_dropped_for/link_broken", 1),
        ("mail_dropped_for/no_such_actor", 2),
    ]


def test_the_latest_pull_function_counts(metrics: Metrics):
    metrics.gauge("master/tasks", lambda: 1)
    metrics.gauge("master/tasks", lambda: 2)
    assert metrics.snapshot() == {"master/tasks": 2}


def test_a_name_asked_for_again_gives_the_same_metric(metrics: Metrics):
    metrics.counter("restarts").value += 1
    metrics.counter("restarts").value += 1
    assert metrics.snapshot() == {"restarts": 2}


def test_a_name_has_one_type(metrics: Metrics):
    metrics.counter("restarts")
    with pytest.raises(ValueError, match="restarts is a Counter already, not a Timer"):
        metrics.timer("restarts")


def test_a_timer_shows_the_last_value_and_statistics(metrics: Metrics):
    timer = metrics.timer("allocation")
    for milliseconds in range(101, 0, -1):
        timer.record(milliseconds)
    shown = metrics.snapshot()
    assert shown["allocation_ms"] == 1
    assert (shown["allocation_ms/count"], shown["allocation_ms/min"], shown["allocation_ms/max"]) == (101, 1, 101)
    assert (shown["allocation_ms/p50"], shown["allocation_ms/p90"], shown["allocation_ms/p99"]) == (51, 91, 100)
    assert shown["allocation_ms/p999"] == pytest.approx(100.9)


def test_a_timer_with_one_value_shows_it_everywhere(metrics: Metrics):
    metrics.timer("allocation").record(7.5)
    shown = metrics.snapshot()
    assert shown.pop("allocation_ms/count") == 1
    assert set(shown.values()) == {7.5}
    assert len(shown) == 9


def test_a_timer_that_never_ran_shows_its_count_alone(metrics: Metrics):
    metrics.timer("allocation")
    assert metrics.snapshot() == {"allocation_ms/count": 0}


def test_a_timer_measures_by_the_clock_also_what_fails(metrics: Metrics, clock: Clock):
    def fail_after_two_seconds():
        with metrics.timer("store").measure():
            clock.seconds += 2
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        fail_after_two_seconds()
    assert metrics.snapshot()["store_ms"] == 2000


def test_a_timer_forgets_what_left_its_window(metrics: Metrics):
    timer = metrics.timer("allocation")
    timer.record(1_000_000)
    for _ in range(WINDOW):
        timer.record(1)
    shown = metrics.snapshot()
    assert (shown["allocation_ms/max"], shown["allocation_ms/count"]) == (1, WINDOW + 1)


def test_metrics_of_what_is_gone_are_removed(metrics: Metrics):
    metrics.counter("frameworks/f1/tasks")
    metrics.counter("frameworks/f1/offers")
    metrics.counter("frameworks/f10/tasks")
    metrics.remove("frameworks/f1/")
    assert metrics.snapshot() == {"frameworks/f10/tasks": 0}
