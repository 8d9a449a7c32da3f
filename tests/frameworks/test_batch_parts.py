"""The parts of a batch that need no cluster: its command, its files, and what the user sees and gets wrong."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from frameworks.batch.__main__ import output_directory, plan_of, read_inputs
from frameworks.batch.console import Console
from frameworks.batch.flags import BatchFlags
from frameworks.batch.ledger import Item, Ledger
from frameworks.batch.results import INDEX_NAME, Results
from frameworks.batch.template import Template
from frameworks.carrier.protocol import Outcome, Stream
from libprocess.errors import OperatorError
from mesos.resources import Resources

OUT, ERR = Stream

# The command.


def test_one_word_is_a_line_for_the_shell_and_the_input_is_quoted_for_it():
    command = Template(("wc -w < {} | sort",), "/d").job("it's mine.txt").command
    assert command.shell
    assert command.value == """wc -w < 'it'"'"'s mine.txt' | sort"""


def test_several_words_are_a_program_and_its_arguments():
    command = Template(("cp", "{}", "{}.bak"), "").job("a b; rm c").command
    assert not command.shell
    assert command.arguments == ("cp", "a b; rm c", "a b; rm c.bak")
    assert command.value == "cp"


@pytest.mark.parametrize(("words", "expected"), [(("wc -w",), "wc -w a"), (("wc", "-w"), ("wc", "-w", "a"))])
def test_without_a_place_for_it_the_input_comes_last(words: tuple[str, ...], expected: object):
    command = Template(words, "").job("a").command
    assert (command.value if command.shell else command.arguments) == expected


@pytest.mark.parametrize("words", [(), ("",), (" ",)])
def test_without_a_command_there_is_no_batch(words: tuple[str, ...]):
    with pytest.raises(OperatorError, match="expected a command after the flags"):
        Template(words, "")


# The files.


def test_files_are_named_by_the_number_of_the_input(tmp_path: Path):
    results = Results(tmp_path, 100)
    results.write(0, OUT, b"ab")
    results.write(0, OUT, b"c")
    results.write(99, ERR, b"x")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"001.stdout": b"abc", "100.stderr": b"x"}
    results.remove(0)
    assert [path.name for path in tmp_path.iterdir()] == ["100.stderr"]


def test_the_tail_of_stderr_is_its_last_lines(tmp_path: Path):
    results = Results(tmp_path, 1)
    assert results.tail(0, 2) == []
    results.write(0, ERR, b"first\n" + b"x" * 100_000 + b"\nlast but one\nlast\xff\n")
    assert results.tail(0, 2) == ["last but one", "last\N{REPLACEMENT CHARACTER}"]


def test_the_index_has_a_line_for_each_input(tmp_path: Path):
    items = [Item(0, "a", "host", outcome=Outcome(3, 1, 0, 0.25, 0.125)), Item(1, "b", problem="lost")]
    Results(tmp_path, 2).write_index(items)
    first, second = map(json.loads, (tmp_path / INDEX_NAME).read_text().splitlines())
    assert (first["number"], first["input"], first["agent"], first["exit_status"]) == (1, "a", "host", 3)
    assert (first["run_seconds"], first["cpu_seconds"]) == (0.25, 0.125)
    assert (second["exit_status"], second["problem"]) == (None, "lost")


# What the user sees.


class Screen:
    """A console whose output is captured."""

    def __init__(self, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], prints: bool = True) -> None:
        self.ledger = Ledger.of("abc")
        self.results = Results(tmp_path, 3)
        self.console = Console(self.ledger, self.results, prints)
        self._capture = capfdbinary

    def end(self, index: int, exit_status: int = 0, problem: str = "") -> None:
        item = self.ledger.items[index]
        item.hostname = "host"
        item.problem = problem
        item.outcome = None if problem else Outcome(exit_status, 0, 0, 0.0, 0.0)
        self.console.done(item)

    def seen(self) -> tuple[bytes, bytes]:
        """What was printed since the last time, on stdout and on stderr."""
        seen = self._capture.readouterr()
        return seen.out, seen.err


def test_outputs_are_printed_in_the_order_of_the_inputs(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]):
    screen = Screen(tmp_path, capfdbinary)
    screen.results.write(2, OUT, b"third\n")
    screen.results.write(0, OUT, b"first\n")
    screen.results.write(0, ERR, b"careful\n")
    screen.end(2)
    assert screen.seen() == (b"", b"")
    screen.end(0)
    assert screen.seen() == (b"first\n", b"careful\n")
    screen.end(1)
    assert screen.seen() == (b"third\n", b"")
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_are_kept_are_not_printed(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]):
    screen = Screen(tmp_path, capfdbinary, prints=False)
    screen.results.write(0, OUT, b"first\n")
    screen.end(0)
    assert screen.seen() == (b"", b"")
    assert len(list(tmp_path.iterdir())) == 1


def test_failures_are_told_at_the_end(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]):
    screen = Screen(tmp_path, capfdbinary)
    screen.results.write(0, ERR, b"1\n2\n3\n4\n5\n6\n")
    screen.end(0, exit_status=3)
    screen.end(1, problem="lost 6 times")
    screen.seen()
    screen.console.close(1.5, agents_count=2)
    assert screen.seen()[1].decode().splitlines() == [
        "mesos-batch: 'a' failed on host: exit status 3",
        *(f"    {number}" for number in range(2, 7)),
        "mesos-batch: 'b' failed on host: lost 6 times",
        "mesos-batch: 2 of 3 inputs done on 2 agents in 1.5 s, 2 failed",
    ]


def test_there_is_no_bar_without_a_terminal(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]):
    screen = Screen(tmp_path, capfdbinary)
    for index in range(3):
        screen.end(index)
    screen.console.close(1.0, 1)
    assert screen.seen() == (b"", b"mesos-batch: 3 of 3 inputs done on 1 agent in 1.0 s\n")


# What the user gives.


def flags(*argv: str) -> BatchFlags:
    return BatchFlags.load(["--master=127.0.0.1:5050", *argv], {})


def test_the_flags_say_what_a_task_asks_for():
    plan = plan_of(flags("--cpus=0.5", "--mem=32", "--jobs=3", "--python=/opt/python", "echo"))
    assert plan.each == Resources.of(cpus=0.5, mem=32)
    assert plan.jobs_max == 3
    assert plan.executor.command
    assert plan.executor.command.value == "/opt/python"


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (("--cpus=-1", "echo"), "--cpus, --mem: expected a number from 0 to"),
        (("--jobs=-1", "echo"), "--jobs: expected 0 or more, found -1; 0 sets no limit"),
        ((), "expected a command after the flags, found none"),
    ],
)
def test_flags_that_make_no_sense_are_refused(argv: tuple[str, ...], text: str):
    with pytest.raises(OperatorError, match=text):
        plan_of(flags(*argv))


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--master=nonsense:port", "echo"], "--master: expected a master's host:port"),
        (["echo"], "--master is required"),
        (["--mater=a:1", "echo"], "there is no flag --mater; did you mean --master"),
    ],
)
def test_flags_that_cannot_be_read_are_refused(argv: list[str], text: str):
    with pytest.raises(OperatorError, match=text):
        BatchFlags.load(argv, {})


def stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_inputs_are_the_lines_that_are_not_empty(monkeypatch: pytest.MonkeyPatch):
    stdin(monkeypatch, "a b\n\n \n\N{LATIN SMALL LETTER A WITH DIAERESIS}\x0bc\nlast".encode())
    assert read_inputs() == ["a b", "\N{LATIN SMALL LETTER A WITH DIAERESIS}\x0bc", "last"]


def test_inputs_that_are_no_text_are_refused(monkeypatch: pytest.MonkeyPatch):
    stdin(monkeypatch, b"a\n\xff\n")
    with pytest.raises(OperatorError, match="expected inputs in UTF-8, found the byte 0xff"):
        read_inputs()


def test_a_directory_for_outputs_is_made(tmp_path: Path):
    with output_directory(str(tmp_path / "a" / "b")) as directory:
        assert directory.is_dir()
    assert directory.is_dir()


def test_a_directory_that_is_in_use_is_not_written_to(tmp_path: Path):
    (tmp_path / "1.stdout").touch()
    with pytest.raises(OperatorError, match="expected a new or empty directory"), output_directory(str(tmp_path)):
        pass


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(OperatorError, match="expected a directory to write to"), output_directory(f"{tmp_path}/file/a"):
        pass


def test_without_a_directory_nothing_is_kept():
    with output_directory("") as directory:
        (directory / "1.stdout").touch()
    assert not directory.exists()
