"""Links of the virtual network: they carry in order, break as real ones do, and deliver to no later run of a node."""

from __future__ import annotations

import pytest

from libprocess import PID, Runtime
from libprocess.simulation import Faults, World
from libprocess.simulation.network import HUNG_UP, REFUSED, SILENCE_SECONDS, SILENT
from tests.libprocess.simulation.actors import Chatter, CountedMessage, CountMessage, Notebook, NoteMessage, Writer


class Pair:
    """A notebook on one node, and a writer on another who is linked to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.there, self.here = world.node("there"), world.node("here")
        self.notebook, self.writer = Notebook(), Writer(PID("notebook", *self.there.address))
        self.there.spawn(self.notebook, "notebook")
        self.here.spawn(self.writer, "writer")
        world.settle()

    def write(self, *texts: str) -> None:
        for text in texts:
            self.here.send(self.writer.pid, NoteMessage(text))
        self.world.settle()


@pytest.fixture
def world() -> World:
    return World(seed=1)


@pytest.fixture
def pair(world: World) -> Pair:
    return Pair(world)


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_mail_takes_no_time_where_nothing_delays_it(world: World, pair: Pair):
    pair.write("a", "b")
    assert pair.notebook.notes == ["a", "b"]
    assert world.elapsed == 0.0


def test_an_answer_comes_back_over_the_same_link(world: World, pair: Pair):
    pair.write("a")
    assert world.ask(pair.notebook.pid, CountMessage()) == CountedMessage(1)


def test_a_node_that_is_not_there_refuses(world: World):
    here = world.node("here")
    writer = Writer(PID("notebook", "nowhere", 1))
    here.spawn(writer)
    world.settle()
    assert writer.ends == [REFUSED]
    assert here.drops[REFUSED] == 1, "the wish to be told was queued, and is counted as lost"


def test_mail_of_one_link_stays_in_order_and_that_of_two_links_does_not(world: World):
    world.faults = Faults(delay_seconds=(0.0, 1.0))
    there = world.node("there")
    notebook = Notebook()
    pid = there.spawn(notebook, "notebook")
    writers = [world.node(host).spawn(Writer(pid), host) for host in "ab"]
    for number in numbers(50):
        for writer in writers:
            world.nodes[writer.address].send(writer, NoteMessage(writer.id + number))
        world.advance(0.1)
    world.advance(10)
    for writer in writers:
        assert [note for note in notebook.notes if note[0] == writer.id] == [writer.id + n for n in numbers(50)]
    one_by_one = [writer.id + number for number in numbers(50) for writer in writers]
    assert sorted(notebook.notes) == sorted(one_by_one)
    assert notebook.notes != one_by_one


def test_a_crash_is_told_to_the_other_end_after_the_mail_that_was_underway(world: World, pair: Pair):
    world.faults = Faults(delay_seconds=(0.5, 0.5))
    back = Writer(pair.notebook.pid, links=False)
    reader = Notebook()
    pair.here.spawn(reader, "reader")
    back.notebook = reader.pid
    pair.there.spawn(back, "back")
    pair.there.send(back.pid, NoteMessage("last words"))
    world.settle()
    world.crash(pair.there)
    world.advance(0.4)
    assert (reader.notes, pair.writer.ends) == ([], [])
    world.advance(0.2)
    assert (reader.notes, pair.writer.ends) == (["last words"], [HUNG_UP])


def test_nothing_meant_for_a_dead_node_reaches_its_next_run(world: World, pair: Pair):
    world.faults = Faults(delay_seconds=(0.5, 0.5))
    pair.write("underway")
    world.crash(pair.there)
    again = Notebook()
    again_at = world.node("there")
    again_at.spawn(again, "notebook")
    pair.write("written before the writer knew")
    world.advance(0.5)
    assert pair.writer.ends == [HUNG_UP]
    assert again.notes == []

    pair.write("meant for the new one")
    world.advance(2)
    assert again.notes == ["meant for the new one"]


def test_a_node_that_comes_back_is_another(world: World, pair: Pair):
    world.crash(pair.there)
    assert world.node("there").incarnation != pair.there.incarnation


def test_a_node_that_lives_is_not_made_twice(world: World, pair: Pair):
    with pytest.raises(ValueError, match="there is a node at here:5050 already"):
        world.node("here")


def test_a_node_that_closes_in_good_order_lets_out_what_it_said(world: World, pair: Pair):
    pair.here.send(pair.writer.pid, NoteMessage("said before the end"))
    pair.here.drain()
    world.close(pair.here)
    world.settle()
    assert pair.notebook.notes == ["said before the end"]


def test_a_short_cut_only_delays(world: World, pair: Pair):
    world.cut(pair.here, pair.there)
    pair.write("a")
    world.advance(SILENCE_SECONDS / 2)
    assert pair.notebook.notes == []
    world.heal()
    pair.write("b")
    assert pair.notebook.notes == ["a", "b"]
    world.advance(SILENCE_SECONDS)
    assert pair.writer.ends == []


def test_a_long_cut_breaks_the_link_at_both_ends_and_loses_what_waited(world: World, pair: Pair):
    world.cut(pair.here, pair.there)
    pair.write("lost")
    world.advance(SILENCE_SECONDS)
    assert pair.writer.ends == [HUNG_UP], "the way back is open: the other end says that it gave up"
    assert pair.here.drops[HUNG_UP] == 1
    world.heal()
    pair.write("arrives")
    assert pair.notebook.notes == ["arrives"]


def test_a_one_way_cut_lets_the_other_way_through(world: World, pair: Pair):
    world.cut(pair.there, pair.here)
    pair.write("arrives")
    assert pair.notebook.notes == ["arrives"]
    with pytest.raises(TimeoutError):
        ask_over(world, pair.here, pair.notebook.pid, timeout_seconds=1.0)


def ask_over(world: World, node: Runtime, to: PID, timeout_seconds: float) -> object:
    answers: list[object] = []
    node.asks.ask(to, CountMessage(), timeout_seconds, answers.append)
    node.drain()
    world.run_until(lambda: bool(answers))
    if isinstance(answers[0], Exception):
        raise answers[0]
    return answers[0]


def test_an_ask_learns_that_nobody_will_answer(world: World, pair: Pair):
    world.partition([pair.here], [pair.there])
    with pytest.raises(ConnectionError, match=SILENT):
        ask_over(world, pair.here, pair.notebook.pid, timeout_seconds=60.0)


def test_a_node_that_is_paused_for_a_moment_hears_all_when_it_goes_on(world: World, pair: Pair):
    world.pause(pair.there)
    pair.write("a", "b")
    world.advance(SILENCE_SECONDS / 2)
    assert pair.notebook.notes == []
    world.resume(pair.there)
    world.settle()
    assert (pair.notebook.notes, pair.writer.ends) == (["a", "b"], [])
    world.advance(SILENCE_SECONDS)
    assert pair.writer.ends == []


def test_a_node_that_is_paused_for_long_is_given_up_and_finds_its_links_broken(world: World, pair: Pair):
    watched = Writer(pair.writer.pid)
    pair.there.spawn(watched)
    world.settle()
    world.pause(pair.there)
    pair.write("said before it was given up")
    world.advance(SILENCE_SECONDS)
    assert (pair.writer.ends, watched.ends) == ([SILENT], [])
    world.resume(pair.there)
    world.settle()
    assert watched.ends == [HUNG_UP]
    assert pair.notebook.notes == ["said before it was given up"], "it was in its buffers"
    pair.write("on a new link")
    assert pair.notebook.notes[1:] == ["on a new link"]


def test_timers_of_a_paused_node_ring_when_it_goes_on(world: World):
    chatter, notebook = Chatter(()), Notebook()
    node = world.node("here")
    chatter.others = (node.spawn(notebook, "notebook"),)
    node.spawn(chatter, "chatter")
    world.settle()
    world.pause(node)
    world.advance(100)
    assert notebook.notes == []
    world.resume(node)
    world.settle()
    assert len(notebook.notes) == 1


def test_who_dials_a_paused_node_is_answered_if_it_goes_on_in_time(world: World):
    there, here = world.node("there"), world.node("here")
    notebook = Notebook()
    pid = there.spawn(notebook, "notebook")
    world.settle()
    for seconds in (SILENCE_SECONDS / 2, SILENCE_SECONDS * 2):
        world.pause(there)
        here.send(pid, NoteMessage(f"patient for {seconds:g} s"))
        world.advance(seconds)
        world.resume(there)
        world.settle()
        world.close(here)
        world.settle()
        here = world.node("here")
    assert notebook.notes == [f"patient for {SILENCE_SECONDS / 2:g} s"]


def test_a_partition_keeps_its_sides_together(world: World):
    nodes = [world.node(host) for host in "abcd"]
    books = [Notebook() for _ in nodes]
    pids = [node.spawn(book, "notebook") for node, book in zip(nodes, books, strict=True)]
    world.partition(nodes[:2], nodes[2:])
    for node in nodes:
        for pid in pids:
            node.send(pid, NoteMessage(node.address.host))
    world.advance(SILENCE_SECONDS + 1)
    assert ["".join(sorted(book.notes)) for book in books] == ["ab", "ab", "cd", "cd"]


def test_who_dials_while_cut_off_is_heard_when_it_heals(world: World):
    there, here = world.node("there"), world.node("here")
    notebook = Notebook()
    pid = there.spawn(notebook, "notebook")
    world.partition([there], [here])
    here.send(pid, NoteMessage("patience"))
    world.advance(SILENCE_SECONDS / 2)
    world.heal()
    world.settle()
    assert notebook.notes == ["patience"]


def test_two_who_dial_each_other_at_once_share_one_link(world: World):
    nodes = [world.node("a"), world.node("b")]
    books = [Notebook(), Notebook()]
    pids = [node.spawn(book, "notebook") for node, book in zip(nodes, books, strict=True)]
    world.faults = Faults(delay_seconds=(0.1, 0.1))
    nodes[0].send(pids[1], NoteMessage("to b"))
    nodes[1].send(pids[0], NoteMessage("to a"))
    world.advance(10)
    assert [book.notes for book in books] == [["to a"], ["to b"]]
    assert [dict(node.drops) for node in nodes] == [{}, {}]


def test_loss_takes_some_and_keeps_the_order(world: World, pair: Pair):
    world.faults = Faults(loss=0.5)
    pair.write(*numbers(100))
    assert 20 < len(pair.notebook.notes) < 80
    assert pair.notebook.notes == sorted(pair.notebook.notes, key=int)
    assert pair.writer.ends == []


def test_duplicates_come_twice_and_the_second_time_late(world: World, pair: Pair):
    world.faults = Faults(duplicates=0.5)
    pair.write(*numbers(100))
    assert pair.notebook.notes == numbers(100)
    world.advance(60)
    assert 120 < len(pair.notebook.notes) < 180
    assert set(pair.notebook.notes) == set(numbers(100))


def test_a_link_that_breaks_by_chance_loses_its_last_words_and_says_so(world: World, pair: Pair):
    world.faults = Faults(breaks=1.0)
    pair.write("lost", "lost too")
    assert pair.writer.ends == []
    world.advance(SILENCE_SECONDS)
    assert (pair.notebook.notes, pair.writer.ends) == ([], [SILENT])
    world.heal()
    pair.write("on a new link")
    assert pair.notebook.notes == ["on a new link"]


def test_links_are_never_lost_without_a_sign(world: World):
    world.faults = Faults(loss=1.0)
    pair = Pair(world)
    pair.there.terminate(pair.notebook.pid)
    world.settle()
    assert pair.writer.ends == ["terminated"]
