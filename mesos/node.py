"""What masters and agents have in common as programs: where they listen, what they log, how their node is opened."""

from __future__ import annotations

import errno
import ipaddress
import os
from contextlib import AsyncExitStack
from typing import Literal

from libprocess.edge import InsecureNode, open_node
from libprocess.errors import OperatorError
from libprocess.flags import DURATION, PORT, Kind, flag
from libprocess.runtime import Runtime
from libprocess.tracing import FLIGHT_SECONDS, Tracing
from mesos.access.flags import AccessFlags

NETWORK = "Network"

ACTOR_PORT_OFFSET = 1000
"""How far the port for actors is from that of the web page, unless it is given."""


def parse_ip(text: str) -> str:
    """Read an address of a machine, not its name."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"expected an address such as 127.0.0.1, found {text!r}") from None


IP = Kind("ADDRESS", parse_ip)


class NodeFlags(AccessFlags):
    """Where a master or an agent listens, and what it tells of itself."""

    ip: str = flag(default="127.0.0.1", kind=IP, group=NETWORK, help="The address to listen on.")
    port: int = flag(default=0, kind=PORT, group=NETWORK, help="The port of the web page; 0 is any free one.")
    actor_port: int | None = flag(
        default=None,
        kind=PORT,
        group=NETWORK,
        help=f"The port of what is no HTTP; nobody has to be told of it. Otherwise --port + {ACTOR_PORT_OFFSET}.",
    )
    hostname: str | None = flag(
        default=None, group=NETWORK, help="The name that people reach this machine by; otherwise --ip."
    )
    advertise_ip: str | None = flag(
        default=None, group=NETWORK, help="The address that other machines reach this one at, where it is not --ip."
    )
    insecure: bool = flag(
        default=False, group=NETWORK, help="Listen to other machines although links are not encrypted."
    )
    logging_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = flag(
        default="INFO", group="Logs", help="The least important news that is logged, on stderr."
    )
    flight_recorder_seconds: float = flag(
        default=FLIGHT_SECONDS,
        kind=DURATION,
        group="Logs",
        help="How far back it is told what led to a failure, in a file in --work_dir/traces that mesos-trace reads; "
        "0secs is nothing.",
    )

    @property
    def chosen_actor_port(self) -> int:
        """The port for actors, whether it was given or not."""
        if self.actor_port is not None:
            return self.actor_port
        return self.port + ACTOR_PORT_OFFSET if self.port else 0

    def check_reachable(self) -> None:
        """A PID with the address that means "every address" leads nowhere."""
        if ipaddress.ip_address(self.ip).is_unspecified and self.advertise_ip is None:
            raise OperatorError(f"--ip={self.ip} is no address that others can reach; give one with --advertise_ip")


async def open_program(flags: NodeFlags, work_dir: str, storage: str, stack: AsyncExitStack) -> Runtime:
    """The node of a program, for as long as the stack is. OperatorError names the flag that is wrong."""
    node = open_node(
        host=flags.ip,
        port=flags.chosen_actor_port,
        advertise=flags.advertise_ip,
        storage=storage,
        insecure=flags.insecure,
        keys=flags.node_keys,
        tracing=Tracing.from_environment(os.environ, f"{work_dir}/traces", flags.flight_recorder_seconds),
    )
    try:
        return await stack.enter_async_context(node)
    except InsecureNode:
        raise OperatorError(
            f"--ip={flags.ip}: other machines can reach that, and there is nothing to keep strangers out; "
            "give --keys, or --insecure if the network is trusted"
        ) from None
    except OSError as error:
        port = f"--actor_port ({ACTOR_PORT_OFFSET} above --port unless given)"
        raise OperatorError(f"{'--ip' if error.errno == errno.EADDRNOTAVAIL else port}: {error}") from None
