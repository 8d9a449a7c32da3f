"""The text of --help, made from the declarations."""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import MISSING
from itertools import groupby
from typing import TYPE_CHECKING

from libprocess.flags.kinds import SWITCH
from libprocess.flags.sources import Declared, built_in

if TYPE_CHECKING:
    from libprocess.flags.declaration import Flags

WIDTH = 100
COLUMN = 32


def help_text(cls: type[Flags]) -> str:
    """What --help shows of a program."""
    usage = " ".join(filter(None, [f"Usage: {cls.program} [--flag=value …]", cls.arguments_help]))
    about = inspect.cleandoc(cls.__doc__ or "").partition("\n\n")[0]
    parts = [usage, textwrap.fill(about, WIDTH), textwrap.fill(_sources(cls), WIDTH)]
    # Sorting is stable: what has no group, then groups in the order of their first flag, all as they were declared.
    groups = list(dict.fromkeys(["", *(declared.group for declared in cls.declared.values())]))
    for group, flags in groupby(sorted(cls.declared.values(), key=lambda flag: groups.index(flag.group)), _group):
        parts.append("\n".join([f"{group or 'Flags'}:", *map(_entry, flags)]))
    parts.append("\n".join(["Every program:", *(_built_in_entry(flag) for flag in built_in())]))
    return "\n\n".join(parts)


def _group(flag: Declared) -> str:
    return flag.group


def _sources(cls: type[Flags]) -> str:
    places = ["the command line"]
    if cls.environment:
        prefixes = " or ".join(f"{prefix}NAME" for prefix in cls.environment)
        places.append(f"the environment as {prefixes} in capitals")
    places.append(f"a file called NAME in {cls.directory or '--flags_dir'}")
    if cls.shared:
        places.append(", ".join(f"{path} for {name}" for name, path in cls.shared.items()))
    return (
        f"A flag NAME is looked for in {', then '.join(places)}. The value file://PATH stands for what that file holds."
    )


def _entry(flag: Declared) -> str:
    """One of the program's flags: its form, and beside it what it does, and what it is unless it is given."""
    form = f"--[no-]{flag.name}" if flag.kind is SWITCH else f"--{flag.name}={flag.kind.placeholder}"
    return _columns(form, f"{flag.help}{_note(flag)}")


def _note(flag: Declared) -> str:
    if flag.default is MISSING:
        return " (required)"
    return "" if flag.default in (None, "", (), False) else f" ({flag.shown(flag.default)})"


def _built_in_entry(flag: Declared) -> str:
    form = f"--{flag.name}" if flag.kind is SWITCH else f"--{flag.name}={flag.kind.placeholder}"
    return _columns(form, flag.help)


def _columns(form: str, text: str) -> str:
    left = f"  {form}"
    lines = textwrap.wrap(text, WIDTH - COLUMN, break_long_words=False, break_on_hyphens=False)
    if len(left) < COLUMN:
        left, lines = left.ljust(COLUMN) + lines[0], lines[1:]
    return "\n".join([left, *(" " * COLUMN + line for line in lines)])
