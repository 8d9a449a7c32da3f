"""Every type survives the way out and back, as JSON and as protobuf."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from libprocess.pid import PID
from mesos import types
from mesos.resources import Kind, Reservation, ReservationType, Resource, Resources
from mesos.types import FrameworkCapability as Capability
from mesos.v1.faces import CODECS, FACES
from mesos.v1.media import Media
from mesos.v1.proto import message
from mesos.v1.resources import older_notation
from mesos.v1.tree import Misfit
from tests.mesos.strategies import resources

TASK = types.TaskInfo(
    name="web",
    task_id="t1",
    agent_id="a1",
    resources=Resources.of(cpus=0.5, mem=64),
    command=types.CommandInfo(
        value="run",
        uris=(types.URI("http://x/y", extract=False, output_file="z"),),
        environment=types.Environment(
            (
                types.Variable("A", "1"),
                types.Variable(
                    "S",
                    type=types.VariableType.SECRET,
                    secret=types.Secret(types.SecretType.VALUE, value=b"\xff"),
                ),
            )
        ),
        shell=False,
        arguments=("run", "--fast"),
        user="nobody",
    ),
    data=b"\x00\x01",
    container=types.ContainerInfo(
        type=types.ContainerType.MESOS,
        volumes=(
            types.Volume("/a", host_path="/h"),
            types.Volume("/i", image=types.Image("busybox", cached=False)),
            types.Volume(
                "/d",
                source=types.VolumeSource(
                    types.VolumeSourceType.DOCKER_VOLUME,
                    driver="flocker",
                    name="v",
                    driver_options=(types.Label("size", "1"),),
                ),
            ),
            types.Volume("/h", source=types.VolumeSource(types.VolumeSourceType.HOST_PATH, path="/x")),
            types.Volume(
                "/s",
                source=types.VolumeSource(
                    types.VolumeSourceType.SANDBOX_PATH, path="s", sandbox=types.SandboxOwner.PARENT
                ),
            ),
            types.Volume(
                "/k",
                source=types.VolumeSource(
                    types.VolumeSourceType.SECRET,
                    secret=types.Secret(types.SecretType.REFERENCE, types.SecretReference("n", "k")),
                ),
            ),
        ),
        docker=types.DockerInfo(
            "busybox",
            types.DockerNetwork.BRIDGE,
            (types.PortMapping(31000, 80, "udp"),),
            parameters=(types.Parameter("label", "x"),),
        ),
        mesos=types.MesosInfo(types.Image("busybox")),
        network_infos=(types.NetworkInfo("net", (types.IPAddress("10.0.0.1"),), ("g",), (types.Label("k", "v"),)),),
        linux_info=types.LinuxInfo(
            effective_capabilities=("NET_RAW",),
            bounding_capabilities=(),
            ipc_mode=types.IpcMode.PRIVATE,
            shm_size_mb=64,
            seccomp_profile="p",
        ),
        rlimits=(types.RLimit("RLMT_NOFILE", 10, 20), types.RLimit("RLMT_CORE")),
        tty_info=types.TTYInfo(24, 80),
    ),
    health_check=types.HealthCheck(
        types.CheckType.HTTP, delay_seconds=0.0, http=types.HTTPCheckInfo(80, "/health", "https")
    ),
    check=types.CheckInfo(types.CheckType.COMMAND, command=types.CommandInfo(value="probe")),
    kill_policy=types.KillPolicy(1.5),
    labels=(types.Label("k"), types.Label("k", "v")),
    discovery=types.DiscoveryInfo(
        types.Visibility.CLUSTER, "web", ports=(types.Port(80, "http", "tcp", types.Visibility.EXTERNAL),)
    ),
    max_completion_time_seconds=3600.0,
    limits=(types.ResourceLimit("cpus", 2.0), types.ResourceLimit("mem", float("inf"))),
)

STATUS = types.TaskStatus(
    task_id="t1",
    state=types.TaskState.TASK_RUNNING,
    agent_id="a1",
    source=types.Source.SOURCE_AGENT,
    reason=types.Reason.REASON_AGENT_DRAINING,
    timestamp=1795202596.048705,
    uuid=b"0123456789abcdef",
    healthy=False,
    check_status=types.CheckStatusInfo(types.CheckType.COMMAND, exit_code=0),
    container_status=types.ContainerStatus("c1", executor_pid=7),
    unreachable_time=1795202596.048705,
    limitation=types.TaskResourceLimitation(Resources.of(mem=5)),
)

FRAMEWORK = types.FrameworkInfo(
    user="me",
    name="fw",
    id="f1",
    failover_timeout_seconds=10.0,
    checkpoint=True,
    roles=("eng", "ops"),
    capabilities=(Capability.MULTI_ROLE, Capability.UNKNOWN),
    labels=(types.Label("k", "v"),),
    offer_filters=(types.OfferFilter("eng", (Resources.of(cpus=1), Resources.of(mem=64, disk=1))),),
)

OPERATIONS = (
    types.Launch((TASK,)),
    types.LaunchGroup(types.ExecutorInfo("e1", data=b"x"), types.TaskGroupInfo((TASK,))),
    types.Reserve(Resources.of(cpus=1), id="op"),
    types.Unreserve(Resources.of(cpus=1)),
    types.Create(Resources.of(disk=1)),
    types.Destroy(Resources.of(disk=1)),
    types.GrowVolume(Resource.of("disk", 5), Resource.of("disk", 1)),
    types.ShrinkVolume(Resource.of("disk", 5), 1500),
)

VALUES = [
    (TASK, "TaskInfo"),
    (STATUS, "TaskStatus"),
    (FRAMEWORK, "FrameworkInfo"),
    (types.MasterInfo("m", PID("master", "10.0.0.1", 5050), "host", "10.0.0.1"), "MasterInfo"),
    (
        types.AgentInfo(
            "host",
            resources=Resources.parse("ports:[1-5];gpus:{a,b}"),
            attributes=(types.Attribute("rack", "r"), types.Attribute("level", 3.0)),
            domain=types.DomainInfo(types.FaultDomain("r", "z")),
        ),
        "AgentInfo",
    ),
]


def there_and_back(value: Any, codec: Any, name: str, media: Media) -> Any:
    descriptor = message(name)
    return codec.read(media.read(media.write(codec.write(value), descriptor), descriptor))


@pytest.mark.parametrize("media", Media)
@pytest.mark.parametrize(("value", "name"), VALUES, ids=[name for _, name in VALUES])
def test_a_value_survives(value: Any, name: str, media: Media):
    codec = CODECS.get(type(value)) or FACES[type(value)].codec
    assert there_and_back(value, codec, name, media) == value


@pytest.mark.parametrize("media", Media)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: type(each).__name__)
def test_an_operation_survives(operation: types.Operation, media: Media):
    assert there_and_back(operation, CODECS[types.Operation], "Offer.Operation", media) == operation


@settings(max_examples=50)
@given(these=resources, media=st.sampled_from(Media))
def test_any_resources_survive(these: Resources, media: Media):
    """In a task's place, as a resource of a message of its own has none."""
    limitation = types.TaskResourceLimitation(these)
    codec = FACES[types.TaskResourceLimitation].codec
    assert there_and_back(limitation, codec, "TaskResourceLimitation", media) == limitation


@settings(max_examples=50)
@given(these=resources)
def test_any_resources_without_refinement_survive_in_the_older_notation(these: Resources):
    assume(all(_is_old(kind) for kind, _ in these.items))
    codec = FACES[types.TaskResourceLimitation].codec
    limitation = types.TaskResourceLimitation(these)
    assert codec.read(older_notation(codec.write(limitation))) == limitation


def _is_old(kind: Kind) -> bool:
    """Whether the older notation can say it: one level, and who made it only if it is dynamic."""
    first = kind.reservations[0] if kind.reservations else Reservation("eng")
    return len(kind.reservations) <= 1 and (
        first.type is ReservationType.DYNAMIC or not (first.principal or first.labels)
    )


def test_what_has_a_default_outside_is_always_written():
    tree = FACES[types.FrameworkInfo].write(types.FrameworkInfo("me", "fw"))
    assert tree == {"user": "me", "name": "fw", "failover_timeout": 0.0, "checkpoint": False}


def test_a_role_without_a_minimum_of_its_own_is_no_role_with_an_empty_one():
    tree = {"user": "me", "name": "fw", "offer_filters": {"a": {}, "b": {"min_allocatable_resources": {}}}}
    assert FACES[types.FrameworkInfo].read(tree).offer_filters == (types.OfferFilter("b"),)


def test_every_type_has_a_face():
    structs = {cls for cls in vars(types).values() if isinstance(cls, type) and hasattr(cls, "__struct_fields__")}
    within_others = {types.StatusUpdate, types.TaskEnding, types.OfferFilter, types.ResourceLimit, types.TaskReference}
    assert structs - set(FACES) - set(CODECS) - within_others == set()


def test_a_misfit_says_where():
    tree = FACES[types.TaskInfo].write(TASK)
    tree["container"]["volumes"][1]["image"]["type"] = "APPC"
    with pytest.raises(Misfit, match=r"^container\.volumes\[1\]\.image\.type: expected DOCKER, found 'APPC'$"):
        FACES[types.TaskInfo].read(tree)


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        ({"name": "cpus", "type": "SCALAR"}, "cpus: expected the field 'scalar' beside type SCALAR, found none"),
        ({"name": "cpus", "type": "SCALAR", "scalar": {"value": -1.0}}, "cpus: expected a number from 0"),
        ({"name": "x", "type": "TEXT", "text": {"value": "y"}}, "x: expected SCALAR, RANGES or SET, found TEXT"),
        (
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.0}, "role": "a//b"},
            "role: expected a role such as",
        ),
    ],
)
def test_what_is_no_resource_is_refused(resource: dict[str, Any], text: str):
    with pytest.raises(Misfit) as caught:
        FACES[types.TaskResourceLimitation].read({"resources": [resource]})
    assert str(caught.value).startswith(f"resources[0].{text}")
