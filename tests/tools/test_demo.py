"""`make demo`: it shows what it promises, and what it counts is checked."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from libprocess.errors import OperatorError
from tools.demo.words import FILES_MIN, count_here, find_texts, read_counts


def test_the_demonstration_counts_right_and_leaves_nothing():
    demo = subprocess.run([sys.executable, "-m", "tools.demo"], capture_output=True, text=True, timeout=100)
    assert demo.returncode == 0, demo.stderr
    assert "The cluster counted what a plain local run counts.\nLeft running: nothing.\n" in demo.stdout
    assert "inputs done on 2 agents" in demo.stderr


def test_words_are_counted(tmp_path: Path):
    for name, text in (("a", "The cat, the DOG.\n"), ("b", "the end")):
        (tmp_path / name).write_text(text)
    counts = count_here([tmp_path / "a", tmp_path / "b"])
    assert counts == {"the": 3, "cat": 1, "dog": 1, "end": 1}


def test_counts_are_read():
    assert read_counts(b"      2 a\n     10 b\n      1 \n") == Counter(a=2, b=10)


def test_texts_are_the_same_each_time():
    assert find_texts() == find_texts()
    assert len(find_texts()) >= FILES_MIN


def test_too_few_texts_are_told(tmp_path: Path):
    with pytest.raises(OperatorError, match=f"expected 100 text files below {tmp_path}, as on any Debian, found 0"):
        find_texts(tmp_path)
