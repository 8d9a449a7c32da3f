"""Where the texts of flags come from: the command line, the environment, a directory, files that values name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any

from libprocess.errors import OperatorError
from libprocess.flags.kinds import PATH, SWITCH, Kind

FILE_SCHEME = "file://"


@dataclass(frozen=True, slots=True)
class Declared:
    """One flag of a program."""

    name: str
    field: str
    kind: Kind
    default: Any
    help: str
    group: str = ""
    secret: bool = False
    aliases: tuple[str, ...] = ()

    def shown(self, value: Any) -> str:
        """A value as text, for others to see."""
        return "***" if self.secret else self.kind.format(value)


@dataclass(frozen=True, slots=True)
class Given:
    """A flag's text, and where it was found, in words for the operator."""

    text: str
    source: str


# Every program understands these.
_BUILT_IN = {
    "help": Declared("help", "help", SWITCH, False, "Shows this text."),
    "version": Declared("version", "version", SWITCH, False, "Shows the version."),
    "flags_dir": Declared("flags_dir", "flags_dir", PATH, MISSING, "A directory with one file per flag."),
}


def built_in() -> Iterable[Declared]:
    """The flags that every program has."""
    return _BUILT_IN.values()


def read_command_line(
    declared: Mapping[str, Declared], argv: Sequence[str]
) -> tuple[dict[str, Given], tuple[str, ...]]:
    """The flags of a command line, and the arguments that follow them.

    The first word that is no flag, or what comes after `--`, begins the arguments.
    """
    declared = _by_all_names({**_BUILT_IN, **declared})
    given: dict[str, Given] = {}
    words = list(argv)
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--":
            break
        if not word.startswith("--"):
            raise OperatorError(f"expected --flag=value, found {word!r}; --help lists the flags")
        name, equals, text = word[2:].partition("=")
        flag, negated = _find(declared, name)
        if negated and equals:
            raise OperatorError(f"--{name}: expected no value, found {text!r}; write --{flag.name}={text}")
        if flag.kind is SWITCH:
            text = text if equals else str(not negated)
        elif not equals:
            text = _next_word(flag, words)
        given[flag.name] = _joined(flag, given.get(flag.name), Given(text, f"--{flag.name}"))
    return given, tuple(words)


def _by_all_names(declared: Mapping[str, Declared]) -> dict[str, Declared]:
    """Flags by their names and aliases; the names come last."""
    return {alias: flag for flag in declared.values() for alias in flag.aliases} | dict(declared)


def _find(declared: Mapping[str, Declared], name: str) -> tuple[Declared, bool]:
    """The flag that a word names, and whether as --no-NAME."""
    plain = name.replace("-", "_")
    if plain in declared:
        return declared[plain], False
    switch = declared.get(plain.removeprefix("no_"))
    if switch is not None and switch.kind is SWITCH:
        return switch, True
    raise OperatorError(f"there is no flag --{name}{_nearest(plain, declared)}; --help lists them all")


def _next_word(flag: Declared, words: list[str]) -> str:
    if not words or words[0].startswith("--"):
        raise OperatorError(f"--{flag.name}: expected a value, found none; write --{flag.name}={flag.kind.placeholder}")
    return words.pop(0)


def _joined(flag: Declared, before: Given | None, given: Given) -> Given:
    """The text of a flag that was given once more."""
    if before is None or not flag.kind.several:
        return given
    return Given(f"{before.text}\n{given.text}", given.source)


def _nearest(name: str, names: Iterable[str]) -> str:
    """A suggestion, where one is near."""
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean --{near[0]}?" if near else ""


def read_environment(
    declared: Mapping[str, Declared], prefixes: Sequence[str], environ: Mapping[str, str]
) -> dict[str, Given]:
    """The flags that the environment sets. Other variables with such a prefix are not ours to judge."""
    given = {}
    for name, flag in _by_all_names({**_BUILT_IN, **declared}).items():
        if flag.kind is SWITCH and name in _BUILT_IN:
            continue
        variables = [f"{prefix}{name.upper()}" for prefix in prefixes]
        variable = next((variable for variable in variables if variable in environ), None)
        if variable is not None:
            given[flag.name] = Given(environ[variable], variable)
    return given


def read_directory(declared: Mapping[str, Declared], directory: str) -> dict[str, Given]:
    """The flags that a directory sets, one file each, named like the flag. Hidden files and backups are left alone.

    A file `?NAME` or `?no-NAME` sets a switch, whatever it holds.
    """
    given = {}
    declared = _by_all_names(declared)
    for path in _files(directory):
        name = path.name.replace("-", "_")
        if name.startswith("?"):  # as Mesos' packages have it: the name says it all
            switch, negated = _find(declared, name.removeprefix("?"))
            given[switch.name] = Given(str(not negated), str(path))
            continue
        if name not in declared:
            near = _nearest(name, declared)
            raise OperatorError(f"{path}: there is no flag --{path.name}{near}; rename or remove the file")
        given[declared[name].name] = Given(_read(path, str(path)), str(path))
    return given


def read_shared(declared: Mapping[str, Declared], files: Mapping[str, str]) -> dict[str, Given]:
    """The flags that files set which are there for several programs, by flag."""
    there = {name: path for name, path in files.items() if name in declared and Path(path).is_file()}
    return {name: Given(_read(Path(path), path), path) for name, path in there.items()}


def _files(directory: str) -> list[Path]:
    try:
        entries = sorted(Path(directory).iterdir())
    except OSError as error:
        raise OperatorError(f"--flags_dir: expected a directory, found {directory!r}: {error.strerror}") from None
    return [
        path for path in entries if path.is_file() and not path.name.startswith(".") and not path.name.endswith("~")
    ]


def follow_file(given: Given) -> Given:
    """For the text `file://PATH` what that file holds; any other text itself."""
    if not given.text.startswith(FILE_SCHEME):
        return given
    path = given.text.removeprefix(FILE_SCHEME)
    return Given(_read(Path(path), given.source), f"{given.source} ({path})")


def _read(path: Path, source: str) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise OperatorError(f"{source}: expected a readable file, found {path}: {reason}") from None
