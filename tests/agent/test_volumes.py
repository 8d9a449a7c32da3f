"""Persistent volumes on a real disk, and how containers see them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.forker.plan import Plan
from agent.isolators.isolator import ContainerError
from agent.isolators.volumes import VolumesIsolator
from agent.paths import volume
from agent.ports import ContainerConfig, VolumeMount
from agent.volumes import DiskVolumes
from mesos.ids import ContainerID
from mesos.resources import DiskInfo, DiskSource, DiskSourceType, Kind, Reservation
from mesos.types import CommandInfo

ENG = (Reservation("eng/web"),)


@pytest.fixture
def volumes(tmp_path: Path) -> Iterator[DiskVolumes]:
    """A disk without volumes."""
    made = DiskVolumes(str(tmp_path))
    yield made
    made.close()


def test_a_new_volume_is_empty_whatever_was_there_before(volumes: DiskVolumes, tmp_path: Path):
    place = tmp_path / "volumes" / "roles" / "eng" / "v1"
    place.mkdir(parents=True)
    (place / "old").write_text("data")
    volumes.create(str(place))

    assert list(place.iterdir()) == []


def test_a_volume_that_is_kept_keeps_its_data(volumes: DiskVolumes, tmp_path: Path):
    place = tmp_path / "v1"
    volumes.create(str(place))
    (place / "data").write_text("data")
    volumes.keep(str(place))

    assert (place / "data").read_text() == "data"


def test_a_volume_that_is_removed_is_gone_with_its_data(volumes: DiskVolumes, tmp_path: Path):
    place = tmp_path / "v1"
    volumes.create(str(place))
    (place / "data").write_text("data")
    volumes.remove(str(place))
    assert not place.exists()

    volumes.close()
    assert not list(tmp_path.rglob("data"))


def test_a_volume_that_is_not_there_is_removed_without_complaint(volumes: DiskVolumes, tmp_path: Path):
    volumes.remove(str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (None, "/srv/mesos/volumes/roles/eng web/v1"),
        (DiskSource(DiskSourceType.PATH, "/mnt/1"), "/mnt/1/volumes/roles/eng web/v1"),
        (DiskSource(DiskSourceType.MOUNT, "/mnt/2"), "/mnt/2"),
    ],
)
def test_a_volume_is_where_its_disk_is(source: DiskSource | None, place: str):
    assert volume("/srv/mesos", Kind("disk", reservations=ENG, disk=DiskInfo(source, "v1"), size=1)) == place


def prepare(tmp_path: Path, mount: VolumeMount) -> Plan:
    """Have a container prepared that uses a volume; its sandbox is `sandbox`."""
    sandbox, plan = tmp_path / "sandbox", Plan()
    sandbox.mkdir()
    VolumesIsolator().prepare(
        ContainerConfig(ContainerID("c"), CommandInfo("true"), str(sandbox), volumes=(mount,)), plan
    )
    return plan


def test_a_volume_with_a_relative_path_is_a_link_in_the_sandbox(tmp_path: Path):
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "data").write_text("data")
    prepare(tmp_path, VolumeMount(str(tmp_path / "v1"), "deep/down"))

    assert (tmp_path / "sandbox" / "deep" / "down" / "data").read_text() == "data"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_volume_with_an_absolute_path_is_mounted_for_the_container_only(tmp_path: Path):
    (tmp_path / "v1").mkdir()
    plan = prepare(tmp_path, VolumeMount(str(tmp_path / "v1"), str(tmp_path / "seen"), is_read_only=True))

    assert [(source, target) for source, target, *_ in plan["mounts"]][1:] == [
        (str(tmp_path / "v1"), str(tmp_path / "seen")),
        ("", str(tmp_path / "seen")),
    ]


@pytest.mark.parametrize("path", ["../out", "."])
def test_a_path_out_of_the_sandbox_is_refused(tmp_path: Path, path: str):
    (tmp_path / "v1").mkdir()
    with pytest.raises(ContainerError, match="expected a container_path in the sandbox"):
        prepare(tmp_path, VolumeMount(str(tmp_path / "v1"), path))


def test_a_volume_whose_directory_is_gone_is_told(tmp_path: Path):
    with pytest.raises(ContainerError, match="is gone"):
        prepare(tmp_path, VolumeMount(str(tmp_path / "v1"), "data"))
