"""What inits leave behind is of use as long as the machine runs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from agent.containerizer.reports import forget_other_boots, lives, names, read
from agent.forker import tree


def test_what_inits_left_is_forgotten_once_when_the_machine_was_started_again(tmp_path: Path):
    forget_other_boots(tmp_path)
    (tmp_path / "c1").write_text("{}")
    forget_other_boots(tmp_path)
    assert names(tmp_path) == ["c1"]

    (tmp_path / ".boot_id").write_text("another")
    forget_other_boots(tmp_path)
    assert names(tmp_path) == []
    (tmp_path / "c2").write_text("{}")
    forget_other_boots(tmp_path)
    assert names(tmp_path) == ["c2"]


def test_which_boot_it_is_is_not_written_where_it_stands_already(tmp_path: Path):
    """On a full disk nothing would have come of that, and the next agent would have started again what runs."""
    forget_other_boots(tmp_path)
    before = (tmp_path / ".boot_id").stat()
    forget_other_boots(tmp_path)
    after = (tmp_path / ".boot_id").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_process_with_the_number_of_an_init_is_not_taken_for_it():
    own, began = os.getpid(), tree.began("self")
    assert lives({"init": own, "began": began, "plan": {}})
    assert not lives({"init": own, "began": began - 1, "plan": {}})


def test_an_init_that_left_no_report_was_killed(tmp_path: Path):
    path = tmp_path / "c1"
    killed = {"status": signal.SIGKILL}
    assert read(str(path)) == killed
    path.write_text('{"init": 4711, "began": 1, "plan": {}}')
    assert read(str(path)) == killed
    path.write_text('{"status": 0')
    assert read(str(path)) == {}, "whatever it was, the disk is to blame"
