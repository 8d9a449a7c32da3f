"""Whatever the description of the API says may be sent is sent to a real master and a real agent: they answer."""

from __future__ import annotations

import json
import random
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from tools.local import LocalCluster

SECONDS = 12
"""For all operations of one program together; those that come last in one run come first in another."""

ANSWER_SECONDS = 10
EXAMPLES = settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
NOT_TRIED = ("/__processes__",)
"""It shows the actors behind it all, and there are many by then."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    with LocalCluster(tmp_path_factory.mktemp("cluster"), agents=1, resources="cpus:2;mem:256") as cluster:
        yield cluster


@pytest.fixture(params=["master", "agent"])
def page(cluster: LocalCluster, request: pytest.FixtureRequest) -> str:
    """The web address of a program."""
    if request.param == "master":
        return f"http://{cluster.address}"
    [agent] = cluster.get("/slaves")["slaves"]
    return f"http://{agent['hostname']}:{agent['port']}"


def read(page: str, path: str) -> Any:
    with urllib.request.urlopen(f"{page}{path}", timeout=ANSWER_SECONDS) as response:
        return json.load(response)


def test_the_description_has_every_route(page: str):
    described = read(page, "/openapi.json")
    paths = described["paths"]
    assert {"/", "/state", "/health", "/api/v1", "/metrics/snapshot", "/files/read", "/webui/{below}"} <= set(paths)
    assert paths["/state"]["get"]["responses"]["200"]
    types = described["components"]["schemas"]
    calls = next(schema for name, schema in types.items() if name.endswith((".master.Call", ".agent.Call")))
    assert {"GET_STATE", "READ_FILE"} <= set(calls["properties"]["type"]["enum"])
    assert paths["/metrics/snapshot"]["get"]["responses"]["200"]["content"]["application/json"]
    answer = paths["/api/v1"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert "get_state" in types[answer.rpartition("/")[2]]["properties"]


@pytest.mark.timeout(120)
def test_whatever_is_sent_is_answered(page: str):
    schema = schemathesis.openapi.from_dict(read(page, "/openapi.json"))
    operations = [result.ok() for result in schema.get_all_operations()]
    random.shuffle(operations)
    until = time.monotonic() + SECONDS
    tried = 0
    with requests.Session() as session:
        for operation in operations:
            if operation.path in NOT_TRIED or time.monotonic() > until:
                continue

            @EXAMPLES
            @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)))
            def answered(case: Any) -> None:
                nonlocal tried
                if time.monotonic() > until:
                    return
                arguments = case.as_transport_kwargs(base_url=page)
                with session.request(**arguments, timeout=ANSWER_SECONDS, stream=True) as response:
                    assert response.status_code < 500, (case.as_curl_command(), response.text)
                    if response.headers.get("Transfer-Encoding") != "chunked":  # a stream goes on, and may be left
                        case.validate_response(response, checks=[response_schema_conformance])
                tried += 1

            answered()
    assert tried > 50
    assert read(page, "/metrics/snapshot")["runtime/actors_failed"] == 0
