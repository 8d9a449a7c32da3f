"""Flags: where their values come from, what they mean, and what an operator is told who got one wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from libprocess.errors import OperatorError, told_to_the_operator
from libprocess.flags import BYTES, DURATION, MANY, PATH, PORT, Flags, flag
from libprocess.version import VERSION


class ServerFlags(Flags, program="server", environment=("SERVER_", "ALL_")):
    """Serves what it is asked for.

    What follows the first paragraph is for readers of the source.
    """

    port: int = flag(default=5050, kind=PORT, help="Where to listen.", group="Network")
    hostname: str | None = flag(default=None, help="The name others know.", group="Network")
    quiet: bool = flag(default=False, help="Logs nothing.")
    log: bool = flag(default=True, help="Logs much.")
    ratio: float = flag(default=0.5, help="How much.")
    count: int = flag(default=3, help="How many.", aliases=("amount",))
    sorter: Literal["drf", "random"] = flag(default="drf", help="Who comes first.")
    isolation: tuple[str, ...] = flag(default=("cpu",), help="What is apart.")
    env: tuple[str, ...] = flag(default=(), kind=MANY, help="Variables.")
    ping_timeout_seconds: float = flag(default=15.0, kind=DURATION, help="How long a ping may take.")
    cache_bytes: int = flag(default=32 << 20, kind=BYTES, help="How much to keep.")
    whitelist: str | None = flag(default=None, kind=PATH, help="Who may come.")
    credential: str | None = flag(default=None, secret=True, help="Who we are.")


class StrictFlags(Flags, program="strict", environment=("STRICT_",), directory="/nonexistent/strict"):
    """Needs a directory."""

    work_dir: str = flag(kind=PATH, help="Where to work.")


class RunFlags(Flags, program="run", arguments="COMMAND [WORD …]"):
    """Runs a command."""

    cpus: float = flag(default=1.0, help="Cores.")


def load(*argv: str, **environ: str) -> ServerFlags:
    return ServerFlags.load(argv, environ)


def refusal(*argv: str, **environ: str) -> str:
    with pytest.raises(OperatorError) as caught:
        load(*argv, **environ)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_without_any_source_the_defaults_hold():
    assert load() == ServerFlags()


@pytest.mark.parametrize(
    ("argv", "field", "value"),
    [
        (["--port=6060"], "port", 6060),
        (["--port", "6060"], "port", 6060),
        (["--hostname="], "hostname", ""),
        (["--hostname=a=b"], "hostname", "a=b"),
        (["--quiet"], "quiet", True),
        (["--quiet=TRUE"], "quiet", True),
        (["--no-log"], "log", False),
        (["--no_log"], "log", False),
        (["--log=0"], "log", False),
        (["--count", "-1"], "count", -1),
        (["--sorter=random"], "sorter", "random"),
        (["--isolation=cpu, mem"], "isolation", ("cpu", "mem")),
        (["--isolation=cpu", "--isolation=mem,pids"], "isolation", ("cpu", "mem", "pids")),
        (["--env=A=1,2", "--env=B=3"], "env", ("A=1,2", "B=3")),
        (["--ping-timeout=2mins"], "ping_timeout_seconds", 120.0),
        (["--ping_timeout=1.5secs"], "ping_timeout_seconds", 1.5),
        (["--cache=1GB"], "cache_bytes", 1 << 30),
        (["--port=1", "--port=2"], "port", 2),
    ],
)
def test_the_command_line_is_read(argv: list[str], field: str, value: object):
    assert getattr(load(*argv), field) == value


def test_the_environment_is_read_and_its_first_prefix_wins():
    flags = load(SERVER_PORT="1", ALL_PORT="2", ALL_PING_TIMEOUT="5secs", ALL_UNKNOWN="x", PORT="3")
    assert (flags.port, flags.ping_timeout_seconds) == (1, 5.0)


def test_command_line_beats_environment_beats_directory(tmp_path: Path):
    for name, text in {"port": "1\n", "count": "1\n", "ratio": "0.1\n", ".swp": "x", "port~": "x"}.items():
        (tmp_path / name).write_text(text)
    flags = load("--port=3", f"--flags_dir={tmp_path}", ALL_PORT="2", ALL_COUNT="2")
    assert (flags.port, flags.count, flags.ratio) == (3, 2, 0.1)


def test_a_flag_may_be_given_by_a_name_that_it_had_once(tmp_path: Path):
    (tmp_path / "amount").write_text("1")
    assert load(f"--flags_dir={tmp_path}").count == 1
    assert load(f"--flags_dir={tmp_path}", ALL_AMOUNT="2").count == 2
    assert load("--amount=3", ALL_AMOUNT="2").count == 3
    assert load(ALL_COUNT="4", ALL_AMOUNT="2").count == 4
    assert "amount" not in load("--amount=3").as_dict()


def test_the_directory_may_be_named_by_the_environment(tmp_path: Path):
    (tmp_path / "ping-timeout").write_text("1mins")
    assert load(ALL_FLAGS_DIR=str(tmp_path)).ping_timeout_seconds == 60.0


def test_a_file_whose_name_says_it_all_sets_a_switch(tmp_path: Path):
    for name in ("?quiet", "?no-log"):
        (tmp_path / name).touch()
    flags = load(f"--flags_dir={tmp_path}")
    assert (flags.quiet, flags.log) == (True, False)
    (tmp_path / "?quite").touch()
    assert refusal(f"--flags_dir={tmp_path}").startswith("there is no flag --quite; did you mean --quiet?")


def test_a_file_for_several_programs_counts_least(tmp_path: Path):
    shared, own = tmp_path / "zk", tmp_path / "own"
    own.mkdir()

    class Sharing(ServerFlags, directory=str(own), shared={"hostname": str(shared)}):
        """Shares a file."""

    assert Sharing.load([], {}).hostname is None
    shared.write_text("zk://a/mesos\n")
    assert Sharing.load([], {}).hostname == "zk://a/mesos"
    (own / "hostname").write_text("b")
    assert Sharing.load([], {}).hostname == "b"


def test_a_file_stands_for_its_content(tmp_path: Path):
    (tmp_path / "value").write_text("zk://a,b/mesos\n")
    assert load(f"--hostname=file://{tmp_path}/value").hostname == "zk://a,b/mesos"


def test_a_path_stays_a_path(tmp_path: Path):
    assert load(f"--whitelist=file://{tmp_path}/list").whitelist == f"{tmp_path}/list"


def test_what_follows_the_flags_is_left_to_the_program():
    assert RunFlags.load(["--cpus=2", "wc", "--lines", "{}"], {}).arguments == ("wc", "--lines", "{}")
    assert RunFlags.load(["--", "--odd"], {}).arguments == ("--odd",)
    assert RunFlags.load([], {}).arguments == ()


def test_an_unknown_flag_is_refused_with_the_nearest():
    assert refusal("--prot=1") == "there is no flag --prot; did you mean --port?; --help lists them all"
    assert refusal("--zzz") == "there is no flag --zzz; --help lists them all"
    assert refusal("--no-port") == "there is no flag --no-port; did you mean --port?; --help lists them all"


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--port=abc"], "--port: expected a port from 0 to 65535, found 'abc'; --help says more"),
        (["--port=70000"], "--port: expected a port from 0 to 65535, found '70000'; --help says more"),
        (["--count=1.5"], "--count: expected a whole number, found '1.5'; --help says more"),
        (["--ratio=half"], "--ratio: expected a number, found 'half'; --help says more"),
        (["--quiet=maybe"], "--quiet: expected true or false, found 'maybe'; --help says more"),
        (["--sorter=first"], "--sorter: expected drf or random, found 'first'; --help says more"),
        (["--whitelist="], "--whitelist: expected a path, found ''; --help says more"),
        (["--port"], "--port: expected a value, found none; write --port=PORT"),
        (["--port", "--quiet"], "--port: expected a value, found none; write --port=PORT"),
        (["--no-quiet=1"], "--no-quiet: expected no value, found '1'; write --quiet=1"),
        (["-p", "1"], "expected --flag=value, found '-p'; --help lists the flags"),
        (["5050"], "expected flags only, found '5050'; --help lists them"),
        (
            ["--flags_dir=/nonexistent"],
            "--flags_dir: expected a directory, found '/nonexistent': No such file or directory",
        ),
        (["--count=file:///none"], "--count: expected a readable file, found /none: No such file or directory"),
    ],
)
def test_a_bad_command_line_is_refused(argv: list[str], text: str):
    assert refusal(*argv) == text


def test_a_bad_duration_or_size_is_refused():
    for text in ("15", "-15secs"):
        assert refusal(f"--ping_timeout={text}").startswith("--ping_timeout: expected a duration such as 15secs")
    assert refusal("--cache=-1MB").startswith("--cache: expected a size such as 32MB")


def test_a_refusal_names_the_source(tmp_path: Path):
    (tmp_path / "count").write_text("many")
    assert refusal(ALL_COUNT="many").startswith("ALL_COUNT: expected a whole number")
    assert refusal(f"--flags_dir={tmp_path}").startswith(f"{tmp_path}/count: expected a whole number")
    assert refusal(f"--count=file://{tmp_path}/count").startswith(f"--count ({tmp_path}/count): expected a whole")


def test_a_file_that_names_no_flag_is_refused(tmp_path: Path):
    (tmp_path / "prot").write_text("1")
    text = f"{tmp_path}/prot: there is no flag --prot; did you mean --port?; rename or remove the file"
    assert refusal(f"--flags_dir={tmp_path}") == text


def test_a_required_flag_must_be_given():
    with pytest.raises(OperatorError) as caught:
        StrictFlags.load([], {})
    places = "give it as --work_dir=PATH or STRICT_WORK_DIR or in the file /nonexistent/strict/work_dir"
    assert str(caught.value) == f"--work_dir is required; {places}"
    assert StrictFlags.load([], {"STRICT_WORK_DIR": "/w"}).work_dir == "/w"


def test_the_operator_is_told_in_one_line(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_, told_to_the_operator("server"):
        load("--port=x")
    assert exit_.value.code == 2
    assert capsys.readouterr().err == "server: --port: expected a port from 0 to 65535, found 'x'; --help says more\n"


def test_as_dict_shows_texts_that_would_set_the_flags_again():
    shown = load("--isolation=cpu,mem", "--env=A=1", "--no-log").as_dict()
    assert shown == {
        "cache": "32MB",
        "count": "3",
        "env": "A=1",
        "isolation": "cpu,mem",
        "log": "false",
        "ping_timeout": "15secs",
        "port": "5050",
        "quiet": "false",
        "ratio": "0.5",
        "sorter": "drf",
    }
    assert load(*(f"--{name}={text}" for name, text in shown.items())).as_dict() == shown


def test_a_secret_is_never_shown():
    flags = load("--credential=hunter2")
    assert flags.as_dict()["credential"] == "***"
    assert "hunter2" not in repr(flags)


def test_help_names_every_flag_with_its_default(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_:
        load("--help")
    text = capsys.readouterr().out
    assert exit_.value.code == 0
    assert text.startswith("Usage: server [--flag=value …]\n\nServes what it is asked for.\n\n")
    assert "readers of the source" not in text
    assert "\nNetwork:\n  --port=PORT " in text
    assert "the environment as SERVER_NAME or ALL_NAME in capitals" in " ".join(text.split())
    assert "Where to listen. (5050)\n" in text
    assert "The name others know.\n" in text
    assert "  --[no-]quiet " in text
    assert "--ping_timeout=DURATION" in text
    assert all(name in text for name in [*ServerFlags.declared, "help", "version", "flags_dir"])
    assert max(map(len, text.splitlines())) <= 100


def test_version(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_:
        load("--version")
    assert (exit_.value.code, capsys.readouterr().out) == (0, f"server {VERSION}\n")


def test_flags_are_inherited_and_frozen():
    class MoreFlags(ServerFlags, program="more"):
        """Does more."""

        extra: int = flag(default=1, help="More.")

    flags = MoreFlags.load(["--extra=2", "--port=1"], {"ALL_COUNT": "7"})
    assert (flags.program, flags.extra, flags.port, flags.count) == ("more", 2, 1, 7)
    with pytest.raises(AttributeError):
        flags.extra = 3


def test_a_field_whose_type_says_little_needs_a_kind():
    with pytest.raises(TypeError, match="expected kind="):

        class BadFlags(Flags):
            things: frozenset[int] = flag(default=frozenset(), help="Things.")
