"""Schedulers and agents prove to masters who they are, and whoever cannot stays outside."""

from __future__ import annotations

from typing import Any

import pytest

from agent.dialogues.base import AgentState
from libprocess import PID, Message, Process
from mesos.access.credentials import Credential
from mesos.access.proof import is_proof, prove
from mesos.detector import MasterDetectedMessage
from mesos.messages import (
    AuthenticatedMessage,
    AuthenticateMessage,
    AuthenticationRefusedMessage,
    ChallengeMessage,
    ProofMessage,
    RegisterFrameworkMessage,
)
from mesos.scheduler import LocalSchedulerDriver, Scheduler
from mesos.types import FrameworkInfo
from tools.simulate.cluster import Cluster

SECRETS = {"ada": "lovelace", "node": "n0de"}
ADA = Credential("ada", "lovelace")
NODE = Credential("node", "n0de")
ASKING = {"authenticate_frameworks": True, "authenticate_agents": True}


class Diary(Scheduler):
    """Writes down what it is called for."""

    def __init__(self) -> None:
        self.entries: list[Any] = []

    def registered(self, driver: Any, framework_id: Any, master: Any) -> None:
        self.entries.append("registered")

    def reregistered(self, driver: Any, master: Any) -> None:
        self.entries.append("reregistered")

    def error(self, driver: Any, message: str) -> None:
        self.entries.append(message)


def cluster(agent: Credential | None = NODE, **flags: Any) -> Cluster:
    made = Cluster(master_flags=ASKING | flags, credentials=SECRETS, agent_credential=agent)
    made.elect()
    return made


def run(cluster: Cluster, credential: Credential | None, **info: Any) -> tuple[Diary, LocalSchedulerDriver]:
    diary = Diary()
    driver = cluster.run(
        diary, FrameworkInfo(user="u", name="n", failover_timeout_seconds=1000, **info), credential=credential
    )
    cluster.advance(seconds=5)
    return diary, driver


def say(world: Cluster, who: Process, to: PID, message: Message) -> None:
    """Have an actor send something out of turn."""
    world.node_of(who).send(to, message, sender=who.pid)


def test_who_proves_its_principal_registers():
    world = cluster()
    diary, _ = run(world, ADA)
    assert diary.entries == ["registered"]
    (framework,) = world.master.cluster.frameworks.values()
    assert framework.info.principal == "ada"
    assert world.agent.state is AgentState.REGISTERED


@pytest.mark.parametrize("credential", [Credential("ada", "byron"), Credential("charles", "lovelace")])
def test_who_proves_nothing_is_told_so_and_aborts(credential: Credential):
    world = cluster()
    diary, _ = run(world, credential)
    assert diary.entries == ["Failed to authenticate: there is no such principal here, or its secret is another"]
    assert not world.master.cluster.frameworks


def test_who_does_not_try_is_told_what_is_expected():
    diary, _ = run(cluster(), None)
    (told,) = diary.entries
    assert told == "Not authenticated: this master wants to know who registers; give a credential that it knows"


def test_who_proves_one_principal_does_not_register_for_another():
    diary, _ = run(cluster(), ADA, principal="bob")
    assert diary.entries == ["Framework principal 'bob' does not match authenticated principal 'ada'"]


@pytest.mark.parametrize("credential", [None, Credential("node", "wrong")])
def test_an_agent_that_proves_nothing_stays_outside_and_goes_on_trying(
    credential: Credential | None, caplog: pytest.LogCaptureFixture
):
    world = cluster(agent=credential)
    world.advance(seconds=10)
    assert world.agent.state is AgentState.DISCONNECTED
    assert not world.master.cluster.agents
    assert "--credential" in caplog.text


def test_a_credential_is_shown_to_a_master_that_asks_for_none():
    world = cluster(authenticate_frameworks=False, authenticate_agents=False)
    diary, _ = run(world, ADA)
    assert diary.entries == ["registered"]
    assert world.agent.state is AgentState.REGISTERED


@pytest.mark.parametrize("lost", [AuthenticateMessage, ChallengeMessage, ProofMessage, AuthenticatedMessage])
def test_authentication_survives_the_loss_of_any_of_its_messages(lost: Any):
    world = Cluster(master_flags=ASKING, credentials=SECRETS, agent_credential=NODE)
    rule = world.drop(lost)
    world.elect()
    diary, _ = run(world, ADA)
    assert rule.seen
    assert diary.entries == []
    world.restore(rule)
    world.advance(seconds=60)
    assert diary.entries == ["registered"]
    assert world.agent.state is AgentState.REGISTERED


def test_everybody_proves_it_again_after_a_link_broke_and_to_a_new_master():
    world = cluster()
    diary, driver = run(world, ADA)
    master, scheduler = world.node_of(world.master), world.node_of(driver.process)
    world.partition([scheduler], [master])
    world.advance(seconds=30)
    assert driver.process.pid not in world.master.proved
    world.heal()
    world.advance(seconds=60)
    assert world.master.proved[driver.process.pid] == "ada"
    successor = world.add_master("master-2")
    world.crash(master)
    world.elect(successor)
    world.advance(seconds=120)
    assert sorted(successor.proved.values()) == ["ada", "node"]
    assert diary.entries[-1] == "reregistered"
    assert world.agent.state is AgentState.REGISTERED


def test_a_registration_that_comes_too_early_is_answered_by_proving_and_not_by_giving_up():
    world = cluster()
    diary, driver = run(world, ADA)
    world.master.peer_exited(driver.process.pid)  # as if the link had broken on that side alone
    info = FrameworkInfo(user="u", name="n", principal="ada")
    say(world, driver.process, world.master.pid, RegisterFrameworkMessage(info))
    world.advance(seconds=5)
    assert diary.entries == ["registered"]


def test_answers_that_cross_each_other_are_no_wrong_proofs():
    world = cluster()
    peer = Cheat()
    world.node("slow").spawn(peer, "peer")
    world.settle()
    for _ in range(3):  # it does not wait for the answers
        say(world, peer, world.master.pid, AuthenticateMessage("ada"))
    world.advance(seconds=1)
    for challenge in list(peer.heard):
        say(world, peer, world.master.pid, ProofMessage(challenge.nonce, prove(ADA, challenge.nonce, peer.pid)))
    world.advance(seconds=1)
    assert [type(each) for each in peer.heard] == [ChallengeMessage] * 3 + [AuthenticatedMessage]


# Those who cheat.


class Cheat(Process):
    """Sends whatever it likes."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def challenge(self, message: ChallengeMessage) -> None:
        self.heard.append(message)

    def authenticated(self, message: AuthenticatedMessage) -> None:
        self.heard.append(message)

    def authentication_refused(self, message: AuthenticationRefusedMessage) -> None:
        self.heard.append(message)


def test_a_proof_counts_once_and_for_whom_it_was_made():
    world = cluster()
    one, two = Cheat(), Cheat()
    for cheat, host in ((one, "one"), (two, "two")):
        world.node(host).spawn(cheat, "cheat")
        world.settle()
        say(world, cheat, world.master.pid, AuthenticateMessage("ada"))
        world.advance(seconds=1)
    nonce, others = one.heard[0].nonce, two.heard[0].nonce
    proof = prove(ADA, nonce, one.pid)
    say(world, two, world.master.pid, ProofMessage(nonce, proof))
    say(world, two, world.master.pid, ProofMessage(others, prove(ADA, others, one.pid)))
    say(world, one, world.master.pid, ProofMessage(nonce, proof))
    say(world, one, world.master.pid, ProofMessage(nonce, proof))
    world.advance(seconds=1)
    assert [type(each) for each in two.heard] == [ChallengeMessage, AuthenticationRefusedMessage]
    assert [type(each) for each in one.heard] == [ChallengeMessage, AuthenticatedMessage]


def test_a_challenge_does_not_wait_for_ever():
    world = cluster()
    cheat = Cheat()
    world.node("cheat").spawn(cheat, "cheat")
    world.settle()
    say(world, cheat, world.master.pid, AuthenticateMessage("ada"))
    world.advance(seconds=16)
    nonce = cheat.heard[0].nonce
    say(world, cheat, world.master.pid, ProofMessage(nonce, prove(ADA, nonce, cheat.pid)))
    world.advance(seconds=1)
    assert [type(each) for each in cheat.heard] == [ChallengeMessage]
    assert not world.master.challenges


def test_a_stranger_gets_no_proof_out_of_a_scheduler():
    world = cluster()
    _, driver = run(world, ADA)
    cheat = Cheat()
    world.node("cheat").spawn(cheat, "cheat")
    world.settle()
    answered = world.expect(ProofMessage)
    say(world, cheat, driver.process.pid, ChallengeMessage(b"n"))
    say(world, cheat, driver.process.pid, MasterDetectedMessage(None))
    world.advance(seconds=1)
    assert not answered.seen


def test_a_proof_is_bound_to_all_that_it_is_about():
    who, other = PID("a", "h", 1), PID("a", "h", 2)
    proof = prove(ADA, b"nonce", who)
    assert is_proof(proof, ADA, b"nonce", who)
    assert not is_proof(proof, ADA, b"other", who)
    assert not is_proof(proof, ADA, b"nonce", other)
    assert not is_proof(proof, Credential("eve", "lovelace"), b"nonce", who)
    assert not is_proof(proof, Credential("ada", "byron"), b"nonce", who)


def test_an_agent_that_is_cut_off_again_before_it_is_back_is_not_given_up_after_it_came_back():
    world = cluster(agent_reregister_timeout_seconds=60.0, agent_ping_timeout_seconds=1000.0)
    master, agent = world.node_of(world.master), world.node_of(world.agent)
    world.advance(seconds=5)
    for dropped in (AuthenticatedMessage, RegisterFrameworkMessage):  # the first time it gets as far as its proof
        rule = world.drop(dropped)
        world.partition([agent], [master])
        world.advance(seconds=20)
        world.heal()
        world.advance(seconds=5)
        world.restore(rule)
    world.advance(seconds=300)
    assert world.agent.state is AgentState.REGISTERED
    assert [each.connected for each in world.master.cluster.agents.values()] == [True]
    assert not world.master.cluster.unreachable
