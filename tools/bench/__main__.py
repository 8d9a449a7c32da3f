"""`python -m tools.bench NAME`: every module here that has a `main(arguments)` is a benchmark of that name."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

from libprocess.errors import told_to_the_operator


def benchmarks() -> dict[str, str]:
    """Names of the benchmarks, and what each is about."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text())
        has_main = any(
            isinstance(node, ast.FunctionDef) and node.name == "main" and node.args.args for node in tree.body
        )
        if has_main and not path.stem.startswith("_"):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def main() -> int:
    """Run the benchmark that the command line names."""
    known = benchmarks()
    arguments = sys.argv[1:]
    if arguments and arguments[0] in known:
        with told_to_the_operator("tools.bench"):
            status: int = importlib.import_module(f"tools.bench.{arguments[0]}").main(arguments[1:])
        return status
    if arguments in (["--help"], ["-h"]):
        print("usage: python -m tools.bench NAME [--json]\n")
        print("\n".join(f"  {name:<12}{text}" for name, text in known.items()))
        return 0
    found = f"no benchmark is called {arguments[0]!r}" if arguments else "no benchmark is named"
    print(f"tools.bench: {found}; give one of {', '.join(known)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
