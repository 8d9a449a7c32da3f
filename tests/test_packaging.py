"""The wheel: it holds every file of the packages, and its programs run where there is no checkout."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from libprocess.version import VERSION

ROOT = Path(__file__).parent.parent
PACKAGES = ("libprocess", "mesos", "master", "agent", "frameworks", "tools")
NOT_SOURCE = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "tests")

# Building and installing ask the package registry.
pytestmark = pytest.mark.timeout(300)


def scripts() -> list[str]:
    """The console scripts that setup.cfg declares."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options.entry_points"]["console_scripts"].strip().splitlines()
    return [line.partition("=")[0].strip() for line in lines]


@dataclass(frozen=True)
class Installed:
    """A wheel, and a fresh environment that holds it."""

    wheel: Path
    directory: Path

    def run(self, program: str, *arguments: str) -> str:
        """What a program of the environment prints, run from a directory without our sources."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MESOS_"))}
        command = [str(self.directory / "venv" / "bin" / program), *arguments]
        done = subprocess.run(command, cwd=self.directory, env=environment, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    directory = tmp_path_factory.mktemp("packaging")
    # From a copy: a build leaves its work in the tree, and would pick up what an earlier one left there.
    source = shutil.copytree(ROOT, directory / "source", ignore=NOT_SOURCE)
    run_pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(directory), str(source))
    shutil.rmtree(source)
    [wheel] = directory.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(directory / "venv")], check=True)
    run_pip(str(directory / "venv" / "bin" / "python"), "install", str(wheel))
    return Installed(wheel, directory)


def run_pip(python: str, *arguments: str) -> None:
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_wheel_holds_every_file_of_the_packages(installed: Installed):
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    expected = {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}
    assert expected - set(zipfile.ZipFile(installed.wheel).namelist()) == set()


def test_the_wheel_holds_nothing_else(installed: Installed):
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(installed.wheel).namelist()}
    assert tops == {*PACKAGES, f"mesolite-{VERSION}.dist-info"}


@pytest.mark.parametrize("package", ["libprocess", "mesos"])
def test_what_a_framework_author_imports_is_there(installed: Installed, package: str):
    path = installed.run("python", "-c", f"import {package}; print({package}.__file__)").strip()
    assert Path(path).is_relative_to(installed.directory)


@pytest.mark.parametrize("script", scripts())
def test_a_console_script_runs(installed: Installed, script: str):
    assert script in installed.run(script, "--help").splitlines()[0]
