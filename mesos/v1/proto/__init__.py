"""The v1 APIs in the language of protobuf: every call, event and response, by its names and field numbers.

The `.proto` files are the source; the modules beside them are made from them, by a compiler old enough that its output
runs on every version of protobuf from 4.21 on:

    pip install 'grpcio-tools==1.51.3'
    python -m grpc_tools.protoc -I. --python_out=. mesos/v1/proto/*.proto
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import Default

from mesos.v1.proto import agent_pb2, executor_pb2, master_pb2, mesos_pb2, scheduler_pb2  # noqa: F401  they register


def message(name: str) -> Descriptor:
    """A message by its name below the package: `Offer.Operation`, `scheduler.Call`. KeyError if there is none."""
    descriptor: Descriptor = Default().FindMessageTypeByName(f"mesolite.v1.{name}")
    return descriptor
