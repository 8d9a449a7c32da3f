"""Election and detection through ZooKeeper: every master keeps an entry there as long as its session lasts, and the
oldest entry leads. The entries are as Mesos writes them, so tools of others find the leader, too.

What waits for ZooKeeper stands behind ports (`ZooKeeperFinder`, `ZooKeeperContender`) that answer actors by message.
"""

from __future__ import annotations

from mesos.detector.zookeeper.contender import CandidacyLostMessage, Contender, ElectedMessage, ZooKeeperContender
from mesos.detector.zookeeper.finder import ZooKeeperFinder
from mesos.detector.zookeeper.url import ZOOKEEPER, ZooKeeperUrl, parse_zookeeper

__all__ = [
    "ZOOKEEPER",
    "CandidacyLostMessage",
    "Contender",
    "ElectedMessage",
    "ZooKeeperContender",
    "ZooKeeperFinder",
    "ZooKeeperUrl",
    "parse_zookeeper",
]
