"""Keys on disk: made once, read back, and refused with one line when something is wrong with them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from libprocess import Address
from libprocess.zeromq import BadKeys, Keys, create_keys, read_keys

KEY = "k" * 40


def test_keys_read_back_as_they_were_made(tmp_path: Path):
    keys = create_keys(tmp_path / "keys")
    assert read_keys(tmp_path / "keys") == keys
    assert len(keys.public) == len(keys.secret) == 40
    assert keys.secret not in repr(keys)


def test_the_secret_is_for_its_user_only(tmp_path: Path):
    create_keys(tmp_path)
    assert stat.S_IMODE((tmp_path / "node.key").stat().st_mode) == 0o600


def test_keys_are_not_overwritten(tmp_path: Path):
    create_keys(tmp_path)
    with pytest.raises(BadKeys, match=r"node.key exists already; remove it if its node is to get a new key"):
        create_keys(tmp_path)


def test_known_nodes_are_lines_of_name_and_key(tmp_path: Path):
    create_keys(tmp_path)
    (tmp_path / "known_nodes").write_text(f"# the masters\n\nm1.example:5050   {KEY}\n{' *'} {KEY[:-1]}z\n")
    assert read_keys(tmp_path).known == {"m1.example:5050": KEY, "*": KEY[:-1] + "z"}


def test_the_key_to_dial_is_the_addresss_the_hosts_or_anybodys():
    keys = Keys("", "", {"h:1": "a", "h": "b", "*": "c"})
    assert [keys.to_dial(Address(*where)) for where in (("h", 1), ("h", 2), ("g", 1))] == ["a", "b", "c"]
    assert Keys("", "", {"laptop": "a"}).to_dial(Address("h", 1)) is None


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        (
            "known_nodes",
            "h tooshort\n",
            "known_nodes:1 has no key for h; expected a name and a key of 40 characters",
        ),
        ("known_nodes", "h\n", "known_nodes:1 has no key for h"),
        ("node.key", f"public {KEY}\n", "node.key holds public; expected a public and a secret line"),
        ("node.key", "", "node.key holds nothing"),
        ("node.key", "\xff", "it is no text"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, name: str, content: str, text: str):
    create_keys(tmp_path)
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(BadKeys) as caught:
        read_keys(tmp_path)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_keys_are_one_line_with_the_remedy(tmp_path: Path):
    with pytest.raises(
        BadKeys, match=r"cannot read .*node.key: No such file or directory; python -m tools.cli keys create"
    ):
        read_keys(tmp_path)
