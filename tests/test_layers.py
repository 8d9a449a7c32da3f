"""The house rules that a machine can read from the source: layers, and what an actor may not do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A package may import itself and what stands on a lower level; siblings stand on the same level.
LEVELS = {"libprocess": 0, "mesos": 1, "master": 2, "agent": 2, "frameworks": 2, "examples": 2, "tools": 3, "tests": 4}
ONLY_IN = {"zmq": {"libprocess", "tools", "tests"}, "uvloop": {"libprocess", "tools", "tests"}}
PRODUCT = {"libprocess", "mesos", "master", "agent", "frameworks"}

# The world reaches an actor through its runtime: self.now, self.chance, self.delay, self.storage, and ports.
NOT_IN_AN_ACTOR = {"time", "random", "datetime", "asyncio", "threading", "socket", "secrets", "uuid"}


def modules() -> list[Path]:
    return sorted(path for package in LEVELS for path in (ROOT / package).rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every import, those inside functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, str(node.module).partition(".")[0]


def actors(tree: ast.AST) -> Iterator[ast.ClassDef]:
    """Classes that derive from Process by that name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).split(".")[-1] == "Process" for base in node.bases):
            yield node


def import_faults(package: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    for line, name in imports(tree):
        if name in LEVELS and name != package and LEVELS[name] >= LEVELS[package]:
            yield line, f"{package} imports {name}: imports point down only"
        if package not in ONLY_IN.get(name, {package}):
            yield line, f"{package} imports {name}: only {', '.join(sorted(ONLY_IN[name]))} may"


def actor_faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for actor in actors(tree):
        for node in ast.walk(actor):
            if isinstance(node, ast.AsyncFunctionDef):
                yield node.lineno, f"{actor.name}.{node.name} is async: a handler runs to completion"
            if isinstance(node, ast.Call) and (module := ast.unparse(node.func).partition(".")[0]) in NOT_IN_AN_ACTOR:
                yield node.lineno, f"{actor.name} calls {module}: the runtime hands an actor its world"


def product_faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute | ast.arg) and ast.unparse(node).endswith("is_simulated"):
            yield node.lineno, "is_simulated: the product does not know what world it is in"
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep":
            yield node.lineno, "time.sleep: what waits is a message or a timer"


def faults(package: str, source: str) -> list[tuple[int, str]]:
    """Line and text of each broken rule in one module of a package."""
    tree = ast.parse(source)
    found = [*import_faults(package, tree)]
    if not ast.get_docstring(tree):
        found.append((1, "no docstring that says what this room is for"))
    if package in PRODUCT:
        found += [*actor_faults(tree), *product_faults(tree)]
    return sorted(found)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module_keeps_the_rules(path: Path):
    package = path.relative_to(ROOT).parts[0]
    assert faults(package, path.read_text()) == []


BROKEN = [
    ("libprocess", "import mesos.types", "libprocess imports mesos: imports point down only"),
    ("master", "from agent import main", "master imports agent: imports point down only"),
    ("frameworks", "def f():\n    import tools.cli", "frameworks imports tools: imports point down only"),
    ("tools", "import tests.helpers", "tools imports tests: imports point down only"),
    ("mesos", "import zmq", "mesos imports zmq: only libprocess, tests, tools may"),
    ("agent", "class A(Process):\n    async def f(self): ...", "A.f is async: a handler runs to completion"),
    ("agent", "class A(x.Process):\n    n = random.random()", "A calls random: the runtime hands an actor its world"),
    ("master", "if clock.is_simulated: pass", "is_simulated: the product does not know what world it is in"),
    ("libprocess", "time.sleep(1)", "time.sleep: what waits is a message or a timer"),
]


@pytest.mark.parametrize(("package", "source", "fault"), BROKEN)
def test_a_broken_rule_is_found(package: str, source: str, fault: str):
    assert [text for _, text in faults(package, f'"""A room."""\n{source}')] == [fault]


def test_a_missing_docstring_is_found():
    assert faults("tests", "import zmq") == [(1, "no docstring that says what this room is for")]


def test_what_points_down_is_allowed():
    source = '"""A room."""\nimport libprocess.pid\nfrom mesos import Offer\nfrom . import flags\nimport kazoo'
    assert faults("master", source) == []
