"""Keys on the command line: made, shown, listed, added; and no secret is printed."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from libprocess.zeromq import read_keys
from tools.cli.__main__ import main


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["tools.cli", "keys", *words])
    try:
        status = main()
    except SystemExit as exit_:
        status = int(exit_.code or 0)
    captured = capsys.readouterr()
    return status, captured.out + captured.err


def test_keys_are_made_shown_and_added(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    status, public = run(capsys, monkeypatch, "create", one)
    assert status == 0
    assert run(capsys, monkeypatch, "show", one) == (0, public)
    run(capsys, monkeypatch, "create", two)
    assert run(capsys, monkeypatch, "add", two, "batch", public.strip(), "--principal=ada")[0] == 0
    assert run(capsys, monkeypatch, "list", two) == (0, f"batch {public.strip()} ada\n")
    _, listed = run(capsys, monkeypatch, "list", two, "--json")
    assert json.loads(listed) == [{"name": "batch", "key": public.strip(), "principal": "ada"}]
    assert read_keys(two).principals == {public.strip(): "ada"}


def test_secrets_are_for_their_user_and_are_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    directory = str(tmp_path)
    printed = [run(capsys, monkeypatch, action, directory)[1] for action in ("create", "show", "list", "create")]
    secret = read_keys(directory).secret
    assert not any(secret in text for text in printed)
    assert secret not in repr(read_keys(directory))
    assert stat.S_IMODE((tmp_path / "node.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("create",), "exists already; remove it"),
        (("add", "batch", "short"), "expected a name, a key of 40 characters and perhaps a principal"),
        (("add", "a b", "x" * 40), "expected a name, a key"),
        (("add",), "expected a name, a key"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    words: tuple[str, ...],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    run(capsys, monkeypatch, "create", str(tmp_path))
    action, *rest = words
    status, text = run(capsys, monkeypatch, action, str(tmp_path), *rest)
    assert status == 2
    assert told in text
    assert text.count("\n") == 1


def test_a_name_is_known_once(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    _, public = run(capsys, monkeypatch, "create", str(tmp_path))
    assert run(capsys, monkeypatch, "add", str(tmp_path), "*", public.strip())[0] == 0
    status, text = run(capsys, monkeypatch, "add", str(tmp_path), "*", public.strip())
    assert status == 2
    assert "has a key for * already" in text
