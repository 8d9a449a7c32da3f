"""A candidate in a simulated world: what it does with the news of an election."""

from __future__ import annotations

import pytest

from libprocess import PID, Message, Process, Runtime
from libprocess.http import HttpRequest, HttpResponse
from libprocess.simulation import World
from master.candidate import AGAIN_SECONDS, CANDIDATE, Candidate
from master.flags import MasterFlags
from mesos.detector import MasterFoundMessage, MasterNotFoundMessage
from mesos.detector.zookeeper import CandidacyLostMessage, ElectedMessage
from mesos.types import MasterInfo

LEADER = MasterInfo("M1", PID("master", "m1", 6050), hostname="m1.example", port=5050)
OWN = MasterInfo("M2", PID("master", "m2", 6050), hostname="m2.example", port=5050)


class Election:
    """The candidate's surroundings: its seat, its contender, and its finder."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.node("m1", 6050).spawn(Process(), "master")
        self.node: Runtime = world.node("m2", 6050)
        self.node.routes.root = CANDIDATE
        self.leader: MasterInfo | None = None
        self.candidacies = 0
        self.held: list[str] = []
        flags = MasterFlags(work_dir="/nowhere")
        self.pid = self.node.spawn(Candidate(flags, OWN, self, self, self), CANDIDATE)
        world.settle()

    def take(self) -> None:
        self.held.append("taken")

    def lose(self, reason: str) -> None:
        self.held.append(reason)

    def refuse(self, reason: str) -> None:
        self.held.append(f"refused: {reason}")

    def contend(self, asker: PID, info: MasterInfo) -> None:
        assert (asker.id, info) == (CANDIDATE, OWN)
        self.candidacies += 1

    def find(self, asker: PID) -> None:
        found = MasterNotFoundMessage("nobody leads") if self.leader is None else MasterFoundMessage(self.leader)
        self.node.send(asker, found)

    def tell(self, message: Message) -> None:
        self.node.send(self.pid, message)
        self.world.settle()

    def leads(self, leader: MasterInfo) -> None:
        self.leader = leader
        self.world.advance(10)

    def ask(self, path: str, method: str = "GET") -> HttpResponse:
        answers: list[HttpResponse] = []
        self.node.routes.request(HttpRequest(method, path, (("q", "a b"),)), answers.append)
        self.world.settle()
        return answers[0]


@pytest.fixture
def election(world: World) -> Election:
    return Election(world)


def test_a_candidate_contends_and_waits(election: Election):
    assert (election.candidacies, election.held) == (1, [])
    election.world.advance(60)
    metrics = election.node.metrics.snapshot()
    assert (metrics["master/elected"], metrics["master/uptime_secs"]) == (0, 60)


def test_who_is_elected_takes_its_seat(election: Election):
    election.tell(ElectedMessage())
    assert election.held == ["taken"]
    assert election.node.metrics.snapshot()["master/elected"] == 1


def test_nobody_on_another_node_says_who_is_elected(election: Election, world: World):
    stranger = world.node("stranger")
    stranger.send(election.pid, ElectedMessage())
    world.settle()
    assert election.held == []
    election.tell(ElectedMessage())
    stranger.send(election.pid, CandidacyLostMessage("go away"))
    world.settle()
    assert election.held == ["taken"]


def test_who_loses_the_lead_gives_up_its_seat_for_good(election: Election):
    election.tell(ElectedMessage())
    election.tell(CandidacyLostMessage("the session is over"))
    election.world.advance(60)
    assert election.held == ["taken", "it does not lead any more: the session is over"]
    assert election.candidacies == 1


def test_who_loses_a_candidacy_contends_again(election: Election):
    election.tell(CandidacyLostMessage("the session is over"))
    assert election.candidacies == 1
    election.world.advance(AGAIN_SECONDS)
    assert (election.candidacies, election.held) == (2, [])


def test_who_is_refused_does_not_contend_again(election: Election):
    election.tell(CandidacyLostMessage("give a password", is_refused=True))
    election.world.advance(60)
    assert (election.candidacies, election.held) == (1, ["refused: give a password"])


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_what_only_the_leader_answers_is_sent_on_to_it(election: Election, method: str):
    election.leads(LEADER)
    answer = election.ask("/master/st äte", method)
    assert answer.status == 307
    assert answer.headers == (("Location", "//m1.example:5050/master/st%20%C3%A4te?q=a+b"),)


@pytest.mark.parametrize("path", ["/redirect", "/master/redirect"])
def test_redirect_leads_to_the_leaders_page(election: Election, path: str):
    election.leads(LEADER)
    assert election.ask(path).headers == (("Location", "//m1.example:5050"),)


@pytest.mark.parametrize("path", ["/state", "/redirect", "/api/v1/scheduler"])
def test_nobody_is_sent_anywhere_while_nobody_leads(election: Election, path: str):
    answer = election.ask(path)
    assert (answer.status, answer.headers) == (503, (("Retry-After", "1"),))


def test_nobody_is_sent_round_in_circles(election: Election):
    election.leads(OWN)  # it is elected already, and does not know it yet
    assert election.ask("/state").status == 503


@pytest.mark.parametrize("path", ["/health", "/version", "/master/flags"])
def test_a_standby_answers_for_itself_what_it_can(election: Election, path: str):
    election.leads(LEADER)
    assert election.ask(path).status == 200
