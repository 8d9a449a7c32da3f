"""How a program declares its flags, and is handed their values."""

from __future__ import annotations

import dataclasses
import inspect
import os
import sys
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass
from typing import Any, ClassVar, NoReturn, Self, dataclass_transform

from libprocess.errors import OperatorError
from libprocess.flags.help import help_text
from libprocess.flags.kinds import Kind, kind_of
from libprocess.flags.sources import (
    Declared,
    Given,
    follow_file,
    read_command_line,
    read_directory,
    read_environment,
    read_shared,
)
from libprocess.version import VERSION

FLAGS_DIR = "flags_dir"


def flag(
    *,
    default: Any = MISSING,
    help: str,
    kind: Kind | None = None,
    group: str = "",
    secret: bool = False,
    aliases: tuple[str, ...] = (),
) -> Any:
    """Declare one flag, as the value of a field of a `Flags` class.

    Without a default the flag is required. `kind` goes without saying for str, int, float, bool, tuple[str, ...] and
    Literal["a", "b"]. Flags of one `group` stand together in --help. A `secret` is never shown. `aliases` are
    names that it had once, and may still be given by.
    """
    metadata = {"help": help, "kind": kind, "group": group, "secret": secret, "aliases": aliases}
    return dataclasses.field(default=default, metadata=metadata, repr=not secret)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(flag,))
@dataclass(frozen=True, kw_only=True)
class Flags:
    """Base of a program's flags. The first paragraph of a subclass' docstring is shown by --help.

    `program` is its name, `environment` the prefixes of its variables (the first that is set counts), `directory` where
    one file per flag is looked for unless --flags_dir says otherwise, `shared` the files that hold flags of several
    programs, and `arguments` says what may follow the flags.
    """

    arguments: tuple[str, ...] = ()
    """What follows the flags on the command line."""

    program: ClassVar[str] = ""
    environment: ClassVar[tuple[str, ...]] = ()
    directory: ClassVar[str] = ""
    shared: ClassVar[Mapping[str, str]] = {}
    arguments_help: ClassVar[str] = ""
    declared: ClassVar[dict[str, Declared]] = {}

    def __init_subclass__(
        cls,
        *,
        program: str = "",
        environment: tuple[str, ...] = (),
        directory: str = "",
        arguments: str = "",
        shared: Mapping[str, str] | None = None,
    ) -> None:
        super().__init_subclass__()
        dataclass(frozen=True, kw_only=True)(cls)
        cls.program = program or cls.program
        cls.environment = environment or cls.environment
        cls.directory = directory or cls.directory
        cls.shared = shared or cls.shared
        cls.arguments_help = arguments or cls.arguments_help
        cls.declared = _declared(cls)

    @classmethod
    def load(cls, argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> Self:
        """Read the flags of this process; --help and --version are answered, and end it.

        OperatorError says in one line what is wrong.
        """
        given, arguments = read_command_line(cls.declared, sys.argv[1:] if argv is None else argv)
        if "help" in given:
            _answer(help_text(cls))
        if "version" in given:
            _answer(f"{cls.program} {VERSION}")
        if arguments and not cls.arguments_help:
            raise OperatorError(f"expected flags only, found {arguments[0]!r}; --help lists them")
        given = read_environment(cls.declared, cls.environment, os.environ if environ is None else environ) | given
        given = cls._read_directory(given) | given
        values = {declared.field: _value(declared, given.get(name)) for name, declared in cls.declared.items()}
        missing = [cls.declared[name] for name, declared in cls.declared.items() if values[declared.field] is MISSING]
        if missing:
            raise OperatorError("; ".join(cls._where_to_give(declared) for declared in missing))
        return cls(arguments=arguments, **values)

    @classmethod
    def _read_directory(cls, given: dict[str, Given]) -> dict[str, Given]:
        if FLAGS_DIR in given:
            return read_directory(cls.declared, given[FLAGS_DIR].text)
        own = read_directory(cls.declared, cls.directory) if os.path.isdir(cls.directory) else {}
        return read_shared(cls.declared, cls.shared) | own

    @classmethod
    def _where_to_give(cls, declared: Declared) -> str:
        text = f"--{declared.name} is required; give it as --{declared.name}={declared.kind.placeholder}"
        text += "".join(f" or {prefix}{declared.name.upper()}" for prefix in cls.environment[-1:])
        return text + (f" or in the file {cls.directory}/{declared.name}" if cls.directory else "")

    def as_dict(self) -> dict[str, str]:
        """Every flag that has a value, as the text that would set it, by name in order; secrets as ***."""
        values = {name: (declared, getattr(self, declared.field)) for name, declared in sorted(self.declared.items())}
        return {name: declared.shown(value) for name, (declared, value) in values.items() if value is not None}


def _declared(cls: type[Flags]) -> dict[str, Declared]:
    types, own = typing.get_type_hints(cls), inspect.get_annotations(cls)
    declared = {}
    for field in sorted(dataclasses.fields(cls), key=lambda field: field.name not in own):
        if not field.metadata:
            continue
        kind: Kind = field.metadata["kind"] or kind_of(types[field.name])
        name = field.name.removesuffix(kind.unit)
        declared[name] = Declared(
            name,
            field.name,
            kind,
            field.default,
            field.metadata["help"],
            field.metadata["group"],
            field.metadata["secret"],
            field.metadata["aliases"],
        )
    return declared


def _value(declared: Declared, given: Given | None) -> Any:
    """What a flag's field gets; MISSING if it is required and was not given."""
    if given is None:
        return declared.default
    if declared.kind.reads_files:
        given = follow_file(given)
    try:
        return declared.kind.parse(given.text)
    except ValueError as error:
        # A parser's own text quotes what it found, which is just what must not be shown of a secret.
        reason = f"expected {declared.kind.placeholder}" if declared.secret else str(error)
        raise OperatorError(f"{given.source}: {reason}; --help says more") from None


def _answer(text: str) -> NoReturn:
    """Print, and end well; also where the reader has seen enough, as in `--help | head`."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more
    raise SystemExit(0)
