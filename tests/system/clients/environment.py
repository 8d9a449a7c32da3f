"""An environment with clients that others wrote, made once and kept beside the packages of the tests.

pymesos needs http-parser, whose archive on PyPI carries C code of a Cython that knows no Python 3.11: that file is made
anew from its source, which is in the archive, too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGES = ("pymesos==0.3.15", "mesoshttp==0.4.2")
BUILD_PACKAGES = ("setuptools<80", "wheel", "cython<3")
HTTP_PARSER = "http-parser==0.9.0"


def client_python() -> Path:
    """The interpreter of that environment, which is made if it is not there."""
    directory = Path(sys.prefix) / "clients"
    python = directory / "bin" / "python"
    made = directory / ".made"
    wanted = "\n".join((*PACKAGES, HTTP_PARSER))
    if not (made.exists() and made.read_text() == wanted):
        shutil.rmtree(directory, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(directory))
        _pip(python, "install", *BUILD_PACKAGES)
        with tempfile.TemporaryDirectory() as work:
            _install_http_parser(python, Path(work))
        _pip(python, "install", "--no-build-isolation", *PACKAGES)
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
