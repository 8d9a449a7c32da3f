"""Where masters meet in ZooKeeper, and what they write there; that it works is for tests/system."""

from __future__ import annotations

import json

import pytest

from libprocess import PID, Address
from mesos.detector.zookeeper import ZooKeeperUrl, parse_zookeeper
from mesos.detector.zookeeper.entry import read_entry, write_entry
from mesos.types import MasterInfo

INFO = MasterInfo("M1", PID("master", "10.1.2.3", 6050), hostname="m.example", ip="10.1.2.3", port=5050, version="1.2")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("zk://a:1/mesos", ZooKeeperUrl((Address("a", 1),), "/mesos")),
        ("zk://a,b:1,[::1]:2/x/y/", ZooKeeperUrl((Address("a", 2181), Address("b", 1), Address("::1", 2)), "/x/y")),
        ("zk://ann:s/e:c@ret@a:1/mesos", ZooKeeperUrl((Address("a", 1),), "/mesos", "ann:s/e:c@ret")),
    ],
)
def test_a_url_is_read(text: str, url: ZooKeeperUrl):
    assert parse_zookeeper(text) == url


@pytest.mark.parametrize(
    "text",
    [
        *("", "a:1/mesos", "http://a:1/mesos", "zk://", "zk://a:1", "zk://a:1/", "zk:///mesos", "zk://a:b/mesos"),
        *("zk://a:1,/mesos", "zk://a:1/x//y", "zk://a:1/../y", "zk://ann@a:1/mesos", "zk://@a:1/mesos"),
    ],
)
def test_what_is_no_url_is_refused(text: str):
    with pytest.raises(ValueError, match=r"^expected zk://\[user:password@\]host:port,…/path such as .*, found '"):
        parse_zookeeper(text)


@pytest.mark.parametrize("text", ["zk://ann:secret@a:1", "zk:/ann:secret@a:1/mesos", "ann:se@cret@a/mesos"])
def test_a_refusal_tells_no_credentials(text: str):
    with pytest.raises(ValueError, match=r"^expected zk") as error:
        parse_zookeeper(text)
    assert "***@a" in str(error.value)
    assert "ret" not in str(error.value)


def test_a_url_as_text_tells_no_credentials():
    url = parse_zookeeper("zk://ann:secret@a:1,b:2/mesos")
    assert str(url) == "zk://***@a:1,b:2/mesos"
    assert "secret" not in repr(url)


def test_an_entry_is_read_as_it_was_written():
    assert read_entry(write_entry(INFO)) == INFO


def test_an_entry_is_what_others_read():
    entry = json.loads(write_entry(INFO))
    assert entry["address"] == {"hostname": "m.example", "ip": "10.1.2.3", "port": 5050}
    assert entry["ip"] == 0x0302010A  # the bytes of the address as they go over the network
    assert (entry["pid"], entry["mesolite_pid"]) == ("master@10.1.2.3:5050", "master@10.1.2.3:6050")


@pytest.mark.parametrize("data", [b"", b"{}", b"master@10.1.2.3:5050", b'{"id": "x", "pid": "master@10.1.2.3:5050"}'])
def test_an_entry_of_another_kind_is_refused(data: bytes):
    with pytest.raises(ValueError):  # noqa: PT011, its text is msgspec's
        read_entry(data)
