"""Environments with clients that others wrote, made once and kept beside the packages of the tests.

pymesos needs http-parser, whose archive on PyPI carries C code of a Cython that knows no Python 3.11: that file is made
anew from its source, which is in the archive, too. The system's own Python is preferred: a task that runs as a normal
user may not be able to reach one in somebody's home.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PYMESOS = ("pymesos==0.3.15",)
MESOSHTTP = ("mesoshttp==0.4.2",)
DPARK = ("dpark==0.5.0", "pymesos==0.3.9")  # a later pymesos hands dpark's heartbeat an argument that it does not take

BUILD_PACKAGES = ("setuptools<80", "wheel", "cython<3")
HTTP_PARSER = "http-parser==0.9.0"
SYSTEM_PYTHON = Path("/usr/bin/python3")


def client_python(packages: tuple[str, ...]) -> Path:
    """The interpreter of an environment with these packages, which is made if it is not there."""
    directory = Path(sys.prefix) / "clients" / packages[0]
    python = directory / "bin" / "python"
    made = directory / ".made"
    base = str(SYSTEM_PYTHON if SYSTEM_PYTHON.exists() else sys.executable)
    wanted = "\n".join((base, HTTP_PARSER, *packages))
    if not (made.exists() and made.read_text() == wanted):
        shutil.rmtree(directory, ignore_errors=True)
        _run(base, "-m", "venv", str(directory))
        _pip(python, "install", *BUILD_PACKAGES)
        if packages != MESOSHTTP:
            with tempfile.TemporaryDirectory() as work:
                _install_http_parser(python, Path(work))
        _pip(python, "install", "--no-build-isolation", *packages)
        made.write_text(wanted)
    return python


def _install_http_parser(python: Path, work: Path) -> None:
    _pip(python, "download", "--no-deps", "--no-binary=:all:", "--no-build-isolation", "--dest", str(work), HTTP_PARSER)
    [archive] = work.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(work, filter="data")
    [source] = (path for path in work.iterdir() if path.is_dir())
    (source / "http_parser" / "parser.c").unlink()
    _run(str(python.parent / "cython"), "-3", str(source / "http_parser" / "parser.pyx"))
    _pip(python, "install", "--no-build-isolation", str(source))


def _pip(python: Path, *arguments: str) -> None:
    _run(str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
