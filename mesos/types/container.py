"""Containers: what surrounds a task or an executor. Images, volumes, networks, limits of the kernel."""

from __future__ import annotations

from enum import StrEnum

from mesos.ids import ContainerID
from mesos.labels import Label, Labels
from mesos.resources.kind import VolumeMode
from mesos.struct import Struct
from mesos.types.command import Secret


class ContainerType(StrEnum):
    """Which containerizer runs it."""

    DOCKER = "DOCKER"
    MESOS = "MESOS"


class Image(Struct, frozen=True):
    """A root file system, by its Docker name."""

    name: str
    credential: Secret | None = None
    cached: bool = True


class VolumeSourceType(StrEnum):
    """Where a volume comes from."""

    DOCKER_VOLUME = "DOCKER_VOLUME"
    HOST_PATH = "HOST_PATH"
    SANDBOX_PATH = "SANDBOX_PATH"
    SECRET = "SECRET"


class SandboxOwner(StrEnum):
    """Whose sandbox a path lies in: the container's own, or that of the one around it."""

    SELF = "SELF"
    PARENT = "PARENT"


class VolumeSource(Struct, frozen=True):
    """Where a volume comes from; which fields count is told by `type`."""

    type: VolumeSourceType
    path: str = ""
    sandbox: SandboxOwner = SandboxOwner.SELF
    driver: str = ""
    name: str = ""
    driver_options: tuple[Label, ...] = ()
    secret: Secret | None = None


class Volume(Struct, frozen=True):
    """Something mounted into a container: a path of the host, an image, or a source; at most one of them."""

    container_path: str
    mode: VolumeMode = VolumeMode.RW
    host_path: str = ""
    image: Image | None = None
    source: VolumeSource | None = None


class PortMapping(Struct, frozen=True):
    """A port of the host that leads to one of the container."""

    host_port: int
    container_port: int
    protocol: str = "tcp"


class DockerNetwork(StrEnum):
    """The network a Docker container is in."""

    HOST = "HOST"
    BRIDGE = "BRIDGE"
    NONE = "NONE"
    USER = "USER"


class Parameter(Struct, frozen=True):
    """A flag handed to `docker run` as it is."""

    key: str
    value: str


class DockerInfo(Struct, frozen=True):
    """What the Docker containerizer is told."""

    image: str
    network: DockerNetwork = DockerNetwork.HOST
    port_mappings: tuple[PortMapping, ...] = ()
    privileged: bool = False
    parameters: tuple[Parameter, ...] = ()
    force_pull_image: bool = False
    volume_driver: str = ""


class MesosInfo(Struct, frozen=True):
    """What the mesos containerizer is told."""

    image: Image | None = None


class IPAddress(Struct, frozen=True):
    """An address of a container, asked for or given."""

    ip_address: str = ""
    protocol: str = "IPv4"


class NetworkInfo(Struct, frozen=True):
    """A network that a container joins or has joined."""

    name: str = ""
    ip_addresses: tuple[IPAddress, ...] = ()
    groups: tuple[str, ...] = ()
    labels: Labels = ()
    port_mappings: tuple[PortMapping, ...] = ()


class IpcMode(StrEnum):
    """Whether a container's IPC objects are its own."""

    PRIVATE = "PRIVATE"
    SHARE_PARENT = "SHARE_PARENT"


class LinuxInfo(Struct, frozen=True):
    """What the kernel of Linux can do for a container."""

    effective_capabilities: tuple[str, ...] | None = None
    bounding_capabilities: tuple[str, ...] | None = None
    share_pid_namespace: bool = False
    share_cgroups: bool = True
    ipc_mode: IpcMode | None = None
    shm_size_mb: int | None = None
    seccomp_profile: str = ""
    seccomp_unconfined: bool = False


class RLimit(Struct, frozen=True):
    """A limit of POSIX, such as RLMT_NOFILE; without numbers it is unlimited."""

    type: str
    soft: int | None = None
    hard: int | None = None


class TTYInfo(Struct, frozen=True):
    """A terminal for the container, with its size in characters."""

    rows: int | None = None
    columns: int | None = None


class ContainerInfo(Struct, frozen=True):
    """What surrounds a task or an executor."""

    type: ContainerType
    volumes: tuple[Volume, ...] = ()
    hostname: str = ""
    docker: DockerInfo | None = None
    mesos: MesosInfo | None = None
    network_infos: tuple[NetworkInfo, ...] = ()
    linux_info: LinuxInfo | None = None
    rlimits: tuple[RLimit, ...] = ()
    tty_info: TTYInfo | None = None


class ContainerStatus(Struct, frozen=True):
    """What is known of a container that runs."""

    container_id: ContainerID
    network_infos: tuple[NetworkInfo, ...] = ()
    executor_pid: int | None = None
    """Its first process, as the agent's host numbers it."""
