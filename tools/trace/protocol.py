"""`protocol`: who sends and who handles each message, read from the source; and what has no handler or no sender."""

from __future__ import annotations

import argparse
import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.trace.errors import BadArgument
from tools.trace.tables import table

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("libprocess", "mesos", "master", "agent", "frameworks", "tools")


@dataclass
class Entry:
    """One message, and who has to do with it."""

    name: str
    where: str
    about: str
    senders: set[str] = field(default_factory=set)
    """Classes, or modules, that make one."""
    handlers: set[str] = field(default_factory=set)
    """Classes that have a handler for it."""
    is_never_sent: bool = False
    """Its docstring begins with that."""

    @property
    def faults(self) -> list[str]:
        """What is wrong with it."""
        if self.is_never_sent:
            return []
        return [
            text
            for is_missing, text in (
                (not self.senders, "nobody sends it"),
                (not self.handlers, "nobody handles it"),
                (not self.about, "no docstring says who sends it to whom"),
            )
            if is_missing
        ]


class Protocol:
    """All messages that are declared in some source files."""

    def __init__(self, paths: Iterable[Path]) -> None:
        trees = {path: ast.parse(path.read_text()) for path in paths}
        self.entries: dict[str, Entry] = {}
        for path, tree in trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and _is_message(node):
                    self.entries[node.name] = _declared(node, path)
        for path, tree in trees.items():
            self._read(tree, path.stem if path.stem != "__init__" else path.parent.name)

    def _read(self, node: ast.AST, owner: str) -> None:
        """Note who makes and who handles messages, below a node of the source."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                if child.name not in self.entries:
                    self._read(child, child.name)
                continue
            if isinstance(child, ast.FunctionDef):
                for name in _handled(child):
                    self._note(name, owner, is_handler=True)
            elif isinstance(child, ast.Call):
                self._call(child, owner)
            self._read(child, owner)

    def _call(self, call: ast.Call, owner: str) -> None:
        """A message is made by calling its class, or by who is given the class: partial(OfferMessage, …).

        Who asks and tells what answer is expected, or looks what a message is, handles it.
        """
        function = _last_name(call.func)
        self._note(function, owner)
        if isinstance(call.func, ast.Attribute):  # made by its own: NewsMessage.of_size(16)
            self._note(_last_name(call.func.value), owner)
        for argument in [node for given in call.args for node in ast.walk(given)]:
            if isinstance(argument, ast.Name | ast.Attribute):
                self._note(_last_name(argument), owner, function in ("ask", "isinstance"), is_mentioned=True)

    def _note(self, name: str, owner: str, is_handler: bool = False, is_mentioned: bool = False) -> None:
        entry = self.entries.get(name)
        if entry is None:
            return
        if is_handler:
            entry.handlers.add(owner)
        elif not is_mentioned or not entry.senders:
            entry.senders.add(owner)

    @property
    def faults(self) -> Iterator[str]:
        """What is wrong with it: one line per fault."""
        for entry in self.entries.values():
            yield from (f"{entry.where}: {entry.name}: {fault}" for fault in entry.faults)


def _declared(node: ast.ClassDef, path: Path) -> Entry:
    about = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
    place = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return Entry(node.name, f"{place}:{node.lineno}", about, is_never_sent=about.startswith("Never sent"))


def _is_message(node: ast.ClassDef) -> bool:
    return node.name.endswith("Message") and node.name != "Message"


def _handled(function: ast.FunctionDef) -> Iterator[str]:
    """The message that a handler is for: a parameter is called so."""
    for argument in function.args.args:
        if argument.arg == "message" and argument.annotation is not None:
            yield _last_name(argument.annotation)


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def sources(packages: Iterable[Path]) -> list[Path]:
    """All Python files of packages. BadArgument where there is none."""
    found = []
    for package in packages:
        files = sorted(package.rglob("*.py")) if package.is_dir() else [package]
        if not files or not all(file.exists() for file in files):
            raise BadArgument(f"{package} holds no Python source; expected a package's directory, or a file")
        found += files
    return found


def add_protocol(parser: argparse.ArgumentParser) -> None:
    """The options of `protocol`."""
    parser.add_argument("packages", nargs="*", type=Path, metavar="PACKAGE", help="directories of source (our own)")
    parser.add_argument("--message", default="", metavar="NAME", help="only messages with this in their name")
    parser.set_defaults(run=protocol)


def protocol(options: argparse.Namespace) -> Iterator[str]:
    """A table of messages; exit status 1 if one has no sender or no handler."""
    found = Protocol(sources(options.packages or [ROOT / name for name in PACKAGES]))
    packages: dict[str, list[Entry]] = defaultdict(list)
    for entry in found.entries.values():
        if options.message in entry.name:
            packages[entry.where.partition("/")[0]].append(entry)
    for package, entries in sorted(packages.items()):
        yield f"{package}:"
        rows = [
            (f"  {entry.name}", ", ".join(sorted(entry.senders)), "→", ", ".join(sorted(entry.handlers)))
            for entry in sorted(entries, key=lambda entry: entry.name)
        ]
        yield from table(["  message", "made by", "", "handled by"], rows, 0)
    faults = list(found.faults)
    yield from faults
    options.status = 1 if faults else 0
