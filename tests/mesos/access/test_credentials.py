"""What principals prove themselves with, as files hold it; what is wrong is told, and secrets are not."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from libprocess.errors import OperatorError
from mesos.access.credentials import Credential, read_credential, read_credentials, read_token_key

SECRET = "xyzzy-plugh"


def file(directory: Path, text: str, mode: int = 0o600) -> str:
    path = directory / "credentials"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"credentials": [{{"principal": "ada", "secret": "{SECRET}"}}, {{"principal": "bob", "secret": "s"}}]}}',
        f"ada {SECRET}\n\n  bob\ts \n",
    ],
)
def test_credentials_are_read_in_both_forms(text: str, tmp_path: Path):
    assert read_credentials("credentials", file(tmp_path, text)) == {"ada": SECRET, "bob": "s"}


@pytest.mark.parametrize(
    "text",
    [
        f'{{"credentials": [{{"principal": "ada", "secrets": "{SECRET}"}}]}}',
        f'{{"credentials": [{{"principal": "ada", "secret": ["{SECRET}"]}}]}}',
        f'{{"credentials": [{{"principal": "ada", "secret": "{SECRET}"',
        f"ada bob {SECRET}",
        SECRET,
        f"ada {SECRET}\nada {SECRET}",
        f'{{"credentials": [{{"principal": "", "secret": "{SECRET}"}}]}}',
    ],
)
def test_a_wrong_file_is_told_in_one_line_without_what_it_holds(text: str, tmp_path: Path):
    with pytest.raises(OperatorError) as told:
        read_credentials("credentials", file(tmp_path, text))
    assert str(told.value).startswith("--credentials: expected ")
    assert SECRET not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(OperatorError, match=r"--credentials: expected a readable file, found .*/none: No such file"):
        read_credentials("credentials", str(tmp_path / "none"))


def test_a_file_that_others_may_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        read_credentials("credentials", file(tmp_path, f"ada {SECRET}", 0o644))
    assert "others may read" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("text", [f'{{"principal": "ada", "secret": "{SECRET}"}}', f"ada {SECRET}"])
def test_one_credential_is_read_in_both_forms_and_does_not_show_its_secret(text: str, tmp_path: Path):
    found = read_credential("credential", file(tmp_path, text))
    assert found == Credential("ada", SECRET)
    assert SECRET not in repr(found)


def test_a_short_key_for_tokens_is_refused(tmp_path: Path):
    with pytest.raises(OperatorError, match=r"--jwt_secret_key: expected at least 32 bytes in .*, found 11"):
        read_token_key("jwt_secret_key", file(tmp_path, SECRET))
    assert read_token_key("jwt_secret_key", file(tmp_path, SECRET * 3)) == SECRET.encode() * 3
